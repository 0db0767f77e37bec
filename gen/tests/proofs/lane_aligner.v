// A locked lane knows its markers by place alone: no word in another place changes state, place or bit position, and
// only the word in the marker's place is called a marker. Frames of 15 words.
//
//! mutant every word is looked at: assign is_due = number_q == 8'd0 => assign is_due = 1'd1
//! mutant any marker starts a frame: (state_q == ALIGNER_STATE_LOCKED) & is_due => (state_q == ALIGNER_STATE_LOCKED) & is_near
//! inside lpu_c2c_lane_aligner
  reg held = 0;
  reg was_due = 0;
  reg [7:0] want;
  reg [5:0] place;
  always @(posedge clock) begin
    held <= !reset && state_q == 2'd2 && number_q != 8'd0;
    was_due <= !reset && state_q == 2'd2 && number_q == 8'd0;
    want <= number_q == 8'd14 ? 8'd0 : number_q + 8'd1;
    place <= slip_q;
  end
  always @(*) begin
    assert (!held || (state_q == 2'd2 && number_q == want && slip_q == place));
    assert (out_start == was_due);
  end
