// What is a flit and what is not is said by the trailer and the place of a word, never by a word: a slot is delivered if and only
// if its bit of the map is one, the sender is up and flits are wanted. 8 slots, 15 words: the map is bits 207:200 of the trailer.
//
//! mutant an empty word is no flit: & map_q[0] => & (|in_word) & map_q[0]
//! mutant the first slot is none: in_number != 8'd0 => in_number > 8'd1
//! mutant a sender that trains: [221:220] == 2'd2 => [221:220] != 2'd0
module proof (input clock, input accept, input [63:0] word, input [255:0] trailer_in, input [7:0] corrected, input [7:0] uncorrectable);
  wire valid, report;
  wire [63:0] data;
  wire [32:0] content;
  reg [7:0] number = 0;
  reg [255:0] trailer;
  reg [1:0] frames = 0;
  wire done = number == 0 && frames >= 2;
  lpu_c2c_deframer dut (.clock(clock), .reset(1'b0), .in_accept(accept), .in_word(word), .in_number(number), .in_valid(frames != 0),
    .in_trailer(trailer), .in_done(done), .in_corrected(corrected), .in_uncorrectable(uncorrectable), .out_valid(valid),
    .out_data(data), .out_report(report), .out_content(content));

  wire [7:0] map = trailer[207:200];
  wire [2:0] slot = number - 1;
  reg expected = 0;
  always @(posedge clock) begin
    number <= number == 14 ? 0 : number + 1;
    if (number == 14) begin
      trailer <= trailer_in;
      if (frames != 3) frames <= frames + 1;
    end
    // The first whole frame sets the descrambler.
    expected <= frames >= 2 && number >= 1 && number <= 8 && map[slot] && trailer[221:220] == 2 && accept;
  end
  always @(*) assert (valid == expected);
endmodule
