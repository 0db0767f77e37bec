// The elastic buffer: no word is lost, doubled, invented or out of order, whatever the two clocks do.
//
// Both clocks are free: any order of edges, both at once included. A pointer that moves in the step before it is sampled
// arrives with each of its bits old or new, as a metastable flip-flop would decide. 4 words of 2 bits; data passes without logic.
//
//! edit lpu_c2c_async_fifo: meta_tail <= tail_gray => meta_tail <= tail_arrives
//! edit lpu_c2c_async_fifo: meta_head <= head_gray => meta_head <= head_arrives
//! mutant pointers that cross in binary: tail_gray <= next_tail ^ (next_tail >> 1) => tail_gray <= next_tail ; {^(tail_seen >> 2), ^(tail_seen >> 1), ^(tail_seen >> 0)} => tail_seen
//! mutant a place too many: used == 3'd4 => used == 3'd5
//! mutant a pointer that is shown before its word is there: tail_seen <= meta_tail => tail_seen <= next_tail ^ (next_tail >> 1)
//! mutant nothing ever passes: assert (!never) => assert (!done)
//! inside lpu_c2c_async_fifo
  (* gclk *) wire step;
  (* anyseq *) wire [2:0] late_tail;
  (* anyseq *) wire [2:0] late_head;
  (* anyseq *) wire watch;
  reg [2:0] tail_before = 0;
  reg [2:0] head_before = 0;
  always @(posedge step) tail_before <= tail_gray;
  always @(posedge step) head_before <= head_gray;
  wire [2:0] tail_arrives = (tail_gray & ~late_tail) | (tail_before & late_tail);
  wire [2:0] head_arrives = (head_gray & ~late_head) | (head_before & late_head);

  // One word, any one.
  reg watching = 0;
  reg done = 0;
  reg [2:0] place;
  reg [1:0] word;
  always @(posedge in_clock) if (watch && !watching && in_valid && !full) begin
    watching <= 1;
    place <= tail;
    word <= in_data;
  end
  always @(posedge clock) if (watching && in_take && out_valid && head == place) done <= 1;

  wire [2:0] inside = tail - head;
  wire [2:0] tail_moves = tail_gray ^ tail_before;
  wire [2:0] head_moves = head_gray ^ head_before;
  wire never = 0;
  always @(*) begin
    assume (!reset && !in_reset);
    assert (inside <= 4);
    assert (out_level <= {6'd0, inside});
    assert (!(watching && !done && out_valid && head == place) || out_data == word);
    assert ((tail_moves & (tail_moves - 3'd1)) == 0);
    assert ((head_moves & (head_moves - 3'd1)) == 0);
    assert (!never);
  end
