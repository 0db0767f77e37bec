// Stage 1: magnitude of an integer, or a number that has a pattern of its own.
reg [31:0] magnitude_1;
reg [31:0] pattern_1;
reg sign_1;
reg integer_1;
reg register_1;

always @(posedge clock)
  if (in_enable$0) begin : stage_1
    reg is_integer;
    reg [31:0] whole;
    reg [2:0] fraction;
    reg [7:0] least_exponent;
    reg [1:0] least_fraction;
    reg [31:0] subnormal;
    reg [31:0] e4m3;
    is_integer = in_format[2:1] == 2'd1;
    whole = in_format[0] ? {{24{in_word[7]}}, in_word[7:0]} : in_word;
    fraction = in_word[2:0];
    least_exponent = fraction[2] ? 8'd120 : fraction[1] ? 8'd119 : 8'd118;
    least_fraction = fraction[2] ? fraction[1:0] : {fraction[1] & fraction[0], 1'b0};
    subnormal = {in_word[7], least_exponent, least_fraction, 21'd0};
    e4m3 = (in_word[6:3] != 4'd0)
      ? ((&in_word[6:0]) ? 32'h7fc00000 : {in_word[7], {4'd0, in_word[6:3]} + 8'd120, fraction, 20'd0})
      : ((|fraction) ? subnormal : {in_word[7], 31'd0});
    magnitude_1 <= (whole ^ {32{whole[31]}}) + {31'd0, whole[31]};
    sign_1 <= whole[31];
    pattern_1 <= (in_format == 3'd1) ? in_word : (in_format == 3'd4) ? e4m3 : 32'd0;
    integer_1 <= is_integer;
    register_1 <= in_format == 3'd0;
  end

// Stage 2: the first byte that is not zero comes to the top.
reg [31:0] magnitude_2;
reg [31:0] pattern_2;
reg [1:0] bytes_2;
reg sign_2;
reg integer_2;
reg register_2;

always @(posedge clock)
  if (in_enable$1) begin : stage_2
    reg [2:0] any_1;
    any_1 = {|magnitude_1[31:24], |magnitude_1[23:16], |magnitude_1[15:8]};
    magnitude_2 <= any_1[2] ? magnitude_1 : any_1[1] ? {magnitude_1[23:0], 8'd0}
      : any_1[0] ? {magnitude_1[15:0], 16'd0} : {magnitude_1[7:0], 24'd0};
    bytes_2 <= any_1[2] ? 2'd3 : any_1[1] ? 2'd2 : {1'b0, any_1[0]};
    pattern_2 <= pattern_1;
    sign_2 <= sign_1;
    integer_2 <= integer_1;
    register_2 <= register_1;
  end

// Stage 3: the first bit likewise; round and pack. The leading bit of byte j counts 2^(8 j + 7).
always @(posedge clock)
  if (in_enable$2) begin : stage_3
    reg [7:0] top_2;
    reg [2:0] zeros_2;
    reg [31:0] normal_2;
    reg round_2;
    reg [7:0] exponent_2;
    reg [30:0] packed_2;
    top_2 = magnitude_2[31:24];
    zeros_2 = {~|top_2[7:4],
      (|top_2[7:4]) ? ~|top_2[7:6] : ~|top_2[3:2],
      (|top_2[7:6]) ? ~top_2[7] : (|top_2[5:4]) ? ~top_2[5] : (|top_2[3:2]) ? ~top_2[3] : ~top_2[1]};
    normal_2 = magnitude_2 << zeros_2;
    round_2 = normal_2[7] & (normal_2[8] | |normal_2[6:0]);
    exponent_2 = {3'b100, bytes_2, 3'b110} - {5'd0, zeros_2};
    packed_2 = {exponent_2, normal_2[30:8]} + {30'd0, round_2};
    out_result <= register_2 ? in_register : ~integer_2 ? pattern_2 : normal_2[31] ? {sign_2, packed_2} : 32'd0;
  end
