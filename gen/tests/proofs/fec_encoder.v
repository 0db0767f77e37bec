// Every column of every frame is a codeword: the sum and the Horner sum of its 14 bytes are zero, whatever the data.
// 8 slots, 15 words.
//
//! mutant a wrong power in the parity: lpu_c2c_parity: out[0] = => out[0] = in_a[0] ^
//! mutant the second parity is the first: word_d = sum_q ^ parity_out => word_d = parity_out
//! inside lpu_c2c_fec_encoder
  function [63:0] times_alpha;
    input [63:0] word;
    integer i;
    for (i = 0; i < 8; i = i + 1)
      times_alpha[8*i +: 8] = {word[8*i +: 7], 1'b0} ^ (word[8*i + 7] ? 8'h1d : 8'h00);
  endfunction

  // The number of the word that comes in; out_word is the one before.
  reg [3:0] place = 0;
  wire [3:0] was = place == 0 ? 14 : place - 1;
  reg begun = 0;
  reg [63:0] r0, r1;
  wire [63:0] n0 = was == 0 ? 64'd0 : r0 ^ out_word;
  wire [63:0] n1 = was == 0 ? 64'd0 : times_alpha(r1) ^ out_word;
  always @(posedge clock) begin
    place <= place == 14 ? 0 : place + 1;
    begun <= 1;
    r0 <= n0;
    r1 <= n1;
  end
  always @(*) begin
    assume (!reset);
    assume (in_start == (place == 0));
    if (begun) begin
      assert (was == 14 || number_q == place);
      assert (was >= 13 || (n0 == sum_q && n1 == horner_q));
      assert (was != 13 || (n0 == (sum_q ^ parity_out) && n1 == (times_alpha(horner_q) ^ parity_out)));
      assert (was != 14 || (n0 == 0 && n1 == 0));
    end
  end
