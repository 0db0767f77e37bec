// A frame of codewords with one wrong byte comes out as it was, its trailer early, and is counted as one repaired byte: whatever the
// data, the column and the error (zero included). The byte is in word PLACE. 8 slots, 15 words; the RAM gives anything, and what is
// proved is which of its bits are flipped.
//
//! replace lpu_sram_bank
//! mutant a wrong power from word to word: lpu_c2c_next_power: out[0] = => out[0] = in_a[0] ^
//! mutant a wrong power of the first trailer word: lpu_c2c_trailer_power_0: out[0] = => out[0] = in_a[0] ^
//! mutant a column hit before counts: out_flip[8*column +: 8] = in_e => out_flip[8*column +: 8] = ~in_e
//! mutant the search goes on from the frame before: product_d = first_out => product_d = next_out
module lpu_sram_bank (input clock, input read_enable, input [15:0] read_address, output [63:0] read_data,
  input write_enable, input [15:0] write_address, input [63:0] write_data);
  (* anyseq *) wire [63:0] anything;
  assign read_data = anything;
endmodule
//! inside lpu_c2c_fec_decoder
  function [63:0] times_alpha;
    input [63:0] word;
    integer i;
    for (i = 0; i < 8; i = i + 1)
      times_alpha[8*i +: 8] = {word[8*i +: 7], 1'b0} ^ (word[8*i + 7] ? 8'h1d : 8'h00);
  endfunction
  function [63:0] times_power;
    input [63:0] word;
    input [3:0] exponent;
    integer i;
    begin
      times_power = word;
      for (i = 0; i < 14; i = i + 1) if (i < exponent) times_power = times_alpha(times_power);
    end
  endfunction

  (* anyconst *) wire [2:0] column;
  (* anyconst *) wire [7:0] error;
  wire [63:0] bad = {56'd0, error} << {column, 3'd0};

  // The number of the word that comes in; markers seen, up to three; the two sums of the words without the error.
  reg [3:0] place = 0;
  reg [1:0] frames = 0;
  reg [63:0] r0, r1, before;
  wire [63:0] word = in_word ^ (place == `PLACE ? bad : 64'd0);
  always @(posedge clock) begin
    place <= place == 14 ? 0 : place + 1;
    if (place == 0 && frames != 3) frames <= frames + 1;
    r0 <= place == 0 ? 64'd0 : r0 ^ word;
    r1 <= place == 0 ? 64'd0 : times_alpha(r1) ^ word;
    before <= delay_read_data;
  end

  wire [3:0] past = place == 0 ? 15 : place;
  wire passed = past > `PLACE;
  wire [3:0] since = past - 1 - `PLACE;
  wire [3:0] left = 14 - place;
  wire [3:0] last = 14 - `PLACE;
  wire [255:0] whitening = {4{64'h9a5c1e3766c3b52d}};
  wire [255:0] in_trailer = `PLACE >= 9 && `PLACE <= 12 ? {192'd0, bad} << (64 * (`PLACE - 9)) : 256'd0;
  wire [7:0] hit = error == 0 ? 8'd0 : 8'd1 << column;
  always @(*) begin
    assume (!reset);
    assume (in_start == (place == 0));
    if (frames != 0) begin
      if (place == 0) assume (r0 == 0 && r1 == 0);
      assert (place == 0 || number_q == {4'd0, place});
      assert (seen_q);
      assert (sum_q == (r0 ^ (passed ? bad : 64'd0)));
      assert (horner_q == (r1 ^ (passed ? times_power(bad, since) : 64'd0)));
    end
    if (frames >= 2) begin
      assert (out_valid);
      assert (error_q == bad && want_q == times_power(bad, last));
      assert (place == 0 || product_q == times_power(bad, left));
      assert (found_q == (passed ? hit : 8'd0));
      assert (out_number == (place == 0 ? 14 : place - 1));
      assert (place == 1 || out_word == (before ^ (out_number == `PLACE ? bad : 64'd0)));
      assert (place == 0 || place > 8 || out_trailer == (raw_q ^ whitening ^ in_trailer));
    end
    if (frames == 3) begin
      assert (out_done == (place == 1));
      assert (out_corrected == (error != 0) && out_uncorrectable == 0);
    end
  end
