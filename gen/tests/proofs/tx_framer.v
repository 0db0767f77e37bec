// Frames do not depend on flits: markers and slots come by count, and the map names exactly the slots that took a flit,
// whatever the flit is. 8 slots, 15 words: the map is bits 15:8 of the last trailer word.
//
//! mutant a flit of zeros counts as none: assign take = (is_slot & queue_out_valid) => assign take = (is_slot & (|queue_out_data) & queue_out_valid)
//! mutant a frame ends with a flit: assign is_first = number_q == 8'd0 => assign is_first = (number_q == 8'd0) | (&queue_out_data)
module proof (input clock, input valid, input [63:0] data, input [15:0] control);
  wire sampled, refused, start, flit;
  wire [63:0] word;
  reg up = 1;
  lpu_c2c_tx_framer dut (.clock(clock), .reset(1'b0), .in_up(up), .in_valid(valid), .in_data(data), .in_control(control),
    .out_sampled(sampled), .out_refused(refused), .out_word(word), .out_start(start), .out_flit(flit));

  // Flits that wait (up to 16), and the slots that took one.
  reg [7:0] number = 0;
  reg [7:0] was = 14;
  reg [4:0] waiting = 0;
  reg [7:0] map = 0;
  wire slot = number >= 1 && number <= 8;
  wire take = slot && waiting != 0;
  always @(posedge clock) begin
    number <= number == 14 ? 0 : number + 1;
    was <= number;
    waiting <= waiting + (valid && !refused) - take;
    if (slot) map <= {take, map[7:1]};
  end
  reg begun = 0;
  always @(posedge clock) begun <= 1;
  wire [63:0] plain = word ^ 64'h9a5c1e3766c3b52d;
  always @(*) if (begun) begin
    assert (start == (was == 0));
    assert (flit == (was >= 1 && was <= 8));
    assert (was != 12 || plain[15:8] == map);
  end
endmodule
