// Stage 1: how far the significand moves so that its whole part is the result; what the exponent adds to a small format.
reg [31:0] value_1;
reg [23:0] significand_1;
reg [5:0] shift_1;
reg [6:0] base_1;
reg beyond_1;
reg nan_1;
reg [2:0] format_1;

always @(posedge clock)
  if (in_enable$0) begin : stage_1
    reg [7:0] e;
    reg [22:0] f;
    reg is_e4m3;
    reg is_e2m1;
    reg normal;
    reg [7:0] exponent;
    reg [8:0] far;
    reg in_range;
    reg floating;
    reg [5:0] moved;
    reg [7:0] steps;
    e = in_value[30:23];
    f = in_value[22:0];
    is_e4m3 = in_format == 3'd4;
    is_e2m1 = in_format == 3'd6;
    normal = |e;
    exponent = {e[7:1], e[0] | ~normal};
    far = (is_e4m3 ? 9'd149 : is_e2m1 ? 9'd157 : 9'd158) - {1'b0, exponent};
    in_range = is_e4m3 ? (e >= 8'd121) : (e >= 8'd127);
    floating = is_e4m3 | is_e2m1;
    moved = (floating & in_range) ? {4'b0111, ~is_e4m3, 1'b0}
      : (far[8:6] != 3'd0) ? {6{~far[8]}} : far[5:0];
    steps = is_e4m3 ? e - 8'd121 : e - 8'd127;
    value_1 <= in_value;
    significand_1 <= {normal, f};
    shift_1 <= moved;
    base_1 <= in_range ? (is_e4m3 ? {steps[3:0], 3'd0} : {4'd0, steps[1:0], 1'b0}) : 7'd0;
    beyond_1 <= is_e4m3 ? (e > 8'd135) : is_e2m1 ? (e > 8'd129) : (e > 8'd158);
    nan_1 <= (&e) & |f;
    format_1 <= in_format;
  end

// Stage 2: the move, with the bit below the whole part and whether anything is below that.
reg [31:0] value_2;
reg [31:0] whole_2;
reg round_2;
reg [6:0] base_2;
reg beyond_2;
reg nan_2;
reg [2:0] format_2;

always @(posedge clock)
  if (in_enable$1) begin : stage_2
    reg [39:0] coarse_1;
    reg lost_1;
    reg [39:0] fine_1;
    reg [6:0] dropped_1;
    coarse_1 = shift_1[5] ? (|shift_1[4:3] ? 40'd0 : {32'd0, significand_1[23:16]})
      : (shift_1[4] ? (shift_1[3] ? {24'd0, significand_1[23:8]} : {16'd0, significand_1})
        : (shift_1[3] ? {8'd0, significand_1, 8'd0} : {significand_1, 16'd0}));
    lost_1 = shift_1[5] ? (|shift_1[4:3] ? |significand_1 : |significand_1[15:0])
      : (&shift_1[4:3]) & |significand_1[7:0];
    fine_1 = coarse_1 >> shift_1[2:0];
    dropped_1 = coarse_1[6:0] & ~(7'h7f << shift_1[2:0]);
    value_2 <= value_1;
    whole_2 <= fine_1[39:8];
    round_2 <= fine_1[7] & (fine_1[8] | (|fine_1[6:0]) | (|dropped_1) | lost_1);
    base_2 <= base_1;
    beyond_2 <= beyond_1;
    nan_2 <= nan_1;
    format_2 <= format_1;
  end

// Stage 3: round, negate in the same addition, saturate.
always @(posedge clock)
  if (in_enable$2) begin : stage_3
    reg negative_2;
    reg [31:0] signed_2;
    reg carry_2;
    reg [31:0] int32_2;
    reg [15:0] upper_2;
    reg [7:0] code_2;
    reg over_32;
    reg over_16;
    reg over_8;
    negative_2 = value_2[31];
    signed_2 = whole_2 ^ {32{negative_2}};
    carry_2 = round_2 ^ negative_2;
    int32_2 = signed_2 + {31'd0, carry_2};
    upper_2 = signed_2[15:0] + 16'h0080 + {15'd0, carry_2};
    code_2 = {1'b0, base_2} + whole_2[7:0] + {7'd0, round_2};
    over_32 = beyond_2 | (whole_2[31] & ~(negative_2 & ~|whole_2[30:0] & ~round_2));
    over_16 = beyond_2 | (|whole_2[31:15]) | ((&whole_2[14:7]) & (negative_2 ? (|whole_2[6:0]) | round_2 : 1'b1))
      | (~negative_2 & round_2 & (whole_2[14:0] == 15'h7f7f));
    over_8 = beyond_2 | (|whole_2[31:8]) | (whole_2[7] & (~negative_2 | (|whole_2[6:0]) | round_2))
      | (~negative_2 & round_2 & (&whole_2[6:0]));
case (format_2)
      3'd1: out_word <= value_2;
      3'd2: out_word <= nan_2 ? 32'd0 : over_32 ? {negative_2, {31{~negative_2}}} : int32_2;
      3'd3: out_word <= {24'd0, nan_2 ? 8'd0 : over_8 ? {negative_2, {7{~negative_2}}} : int32_2[7:0]};
      3'd4: out_word <= {24'd0, nan_2 ? 8'h7f : {negative_2, (beyond_2 | code_2[7] | (&code_2[6:0])) ? 7'h7e : code_2[6:0]}};
      3'd5: out_word <= {16'd0, nan_2 ? 16'd0 : over_16 ? (negative_2 ? 16'h8180 : 16'h7f7f)
        : {upper_2[15:8], int32_2[7:0]}};
      3'd6: out_word <= {28'd0, nan_2 ? 4'd0 : {negative_2, (beyond_2 | (|code_2[7:3])) ? 3'd7 : code_2[2:0]}};
      default: out_word <= 32'd0;
    endcase
  end
