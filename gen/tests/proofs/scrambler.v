// The descrambler is the inverse of the scrambler: from the second slot on a slot comes back as it was, whatever came before
// it on the line, whatever lies between slots.
//
//! mutant a tap of the scrambler one bit off: lpu_c2c_scramble: in_b[25] => in_b[24]
//! mutant a state that takes other words too: lpu_c2c_descrambler: if (in_flit) => if (1'd1)
//! mutant right from the first slot on: assert (!warm => assert (!was_flit
module proof (input clock, input [63:0] plain, input flit, input [63:0] noise);
  wire [63:0] line, back;
  wire start;
  reg [63:0] sent;
  reg was_flit = 0;
  reg warm = 0;

  lpu_c2c_scrambler to (.clock(clock), .reset(1'b0), .in_word(plain), .in_start(1'b0), .in_flit(flit), .out_word(line), .out_start(start));
  // The slots before the first good one are anything.
  wire [63:0] received = warm || first ? line : line ^ noise;
  (* anyseq *) wire first;
  lpu_c2c_descrambler from (.clock(clock), .reset(1'b0), .in_word(received), .in_flit(was_flit), .out_word(back));

  always @(posedge clock) begin
    sent <= plain;
    was_flit <= flit;
    if (was_flit && first) warm <= 1;
  end
  always @(*) assert (!warm || !was_flit || back == sent);
endmodule
