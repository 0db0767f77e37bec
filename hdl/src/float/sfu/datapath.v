// Stage 1: classes, how far the argument of exp2 moves, exponent.
reg [23:0] significand_1;
reg [5:0] shift_1;
reg [7:0] e_1;
reg [1:0] function_1;
reg sign_1;
reg [31:0] value_1;
reg bypass_1;

always @(posedge clock)
  if (in_enable$0) begin : stage_1
    reg is_exp2;
    reg is_rsqrt;
    reg [7:0] e;
    reg normal;
    reg top;
    reg some;
    reg zero;
    reg nan;
    reg infinite;
    reg negative;
    reg [8:0] far;
    reg exp2_over;
    reg exp2_under;
    reg give_nan;
    reg give_infinity;
    reg give_zero;
    is_exp2 = in_function == 2'd1;
    is_rsqrt = in_function == 2'd3;
    e = in_x[30:23];
    normal = |e;
    top = &e;
    some = |in_x[22:0];
    zero = ~normal & ~some;
    nan = top & some;
    infinite = top & ~some;
    negative = in_x[31];
    far = 9'd134 - {1'b0, e};
    exp2_over = ~negative & (e >= 8'd134);
    exp2_under = negative & ((e > 8'd134) | ((e == 8'd134) & (in_x[22:16] >= 7'h16)));
    give_nan = nan | (is_rsqrt & negative & ~zero);
    give_infinity = is_exp2 ? exp2_over : zero;
    give_zero = is_exp2 ? exp2_under : infinite;
    significand_1 <= {normal, in_x[22:0]};
    shift_1 <= (far[8:6] != 3'd0) ? {6{~far[8]}} : far[5:0];
    e_1 <= {e[7:1], e[0] | ~normal};
    function_1 <= in_function;
    sign_1 <= negative;
    value_1 <= (in_function == 2'd0) ? in_x : give_nan ? 32'h7fc00000
      : {negative & ~is_exp2, {8{give_infinity}}, 23'd0};
    bypass_1 <= (in_function == 2'd0) | give_nan | give_infinity | give_zero;
  end

// Stage 2: the argument of exp2 in 2^-27; a subnormal argument of the others gets a leading one.
reg [34:0] fixed_2;
reg [22:0] fraction_2;
reg [8:0] e_2;
reg [1:0] function_2;
reg sign_2;
reg [31:0] value_2;
reg bypass_2;

always @(posedge clock)
  if (in_enable$1) begin : stage_2
    reg [34:0] coarse_1;
    reg [5:0] any_1;
    reg [2:0] groups_1;
    reg [23:0] moved_1;
    reg [1:0] zeros_1;
    reg [23:0] leading_1;
    coarse_1 = shift_1[5] ? ((|shift_1[4:3]) ? 35'd0 : {32'd0, significand_1[23:21]})
      : (shift_1[4] ? (shift_1[3] ? {24'd0, significand_1[23:13]} : {16'd0, significand_1[23:5]})
        : (shift_1[3] ? {8'd0, significand_1, 3'd0} : {significand_1, 11'd0}));
    any_1 = {|significand_1[23:20], |significand_1[19:16], |significand_1[15:12], |significand_1[11:8],
      |significand_1[7:4], |significand_1[3:0]};
    groups_1 = any_1[5] ? 3'd0 : any_1[4] ? 3'd1 : any_1[3] ? 3'd2 : any_1[2] ? 3'd3 : any_1[1] ? 3'd4 : 3'd5;
    moved_1 = significand_1 << {groups_1, 2'd0};
    zeros_1 = {~|moved_1[23:22], (|moved_1[23:22]) ? ~moved_1[23] : ~moved_1[21]};
    leading_1 = moved_1 << zeros_1;
    fixed_2 <= coarse_1 >> shift_1[2:0];
    fraction_2 <= leading_1[22:0];
    e_2 <= {1'b0, e_1} - {4'd0, groups_1, zeros_1};
    function_2 <= function_1;
    sign_2 <= sign_1;
    value_2 <= value_1;
    bypass_2 <= bypass_1;
  end

// Stage 3: whole part and fraction of exp2's argument, rounded; index and position of the others; exponent of the result, biased.
// rcp: 127 + (-(e - 127) - 1); rsqrt: 127 + (-floor((e - 127) / 2) - 1).
reg [25:0] argument_3;
reg [9:0] exponent_3;
reg falling_3;
reg [1:0] function_3;
reg sign_3;
reg [31:0] value_3;
reg bypass_3;

always @(posedge clock)
  if (in_enable$2) begin : stage_3
    reg [34:0] signed_2;
    reg [34:0] rounded_2;
    reg [8:0] half_2;
    signed_2 = {1'b0, fixed_2[34:1]} ^ {35{sign_2}};
    rounded_2 = signed_2 + {34'd0, fixed_2[0] ^ sign_2};
    half_2 = e_2 - 9'd127;
    argument_3 <= (function_2 == 2'd1) ? rounded_2[25:0]
      : (function_2 == 2'd2) ? {fraction_2, 3'd0} : {~e_2[0], fraction_2, 2'd0};
    exponent_3 <= (function_2 == 2'd1) ? {rounded_2[34], rounded_2[34:26]} + 10'd127
      : (function_2 == 2'd2) ? 10'd253 - {e_2[8], e_2} : 10'd126 - {{2{half_2[8]}}, half_2[8:1]};
    falling_3 <= function_2[1];
    function_3 <= function_2;
    sign_3 <= sign_2 & (function_2 == 2'd2);
    value_3 <= value_2;
    bypass_3 <= bypass_2;
  end

// Stage 4: coefficients, square of the offset's magnitude.
reg [53:0] entry_4;
reg [17:0] position_4;
reg [23:0] square_4;
reg [9:0] exponent_4;
reg sign_4;
reg [31:0] value_4;
reg bypass_4;

always @(posedge clock)
  if (in_enable$3) begin : stage_4
    reg [17:0] position_3;
    reg [11:0] magnitude_3;
    position_3 = argument_3[17:0] ^ {18{falling_3}};
    magnitude_3 = position_3[16:5] ^ {12{~position_3[17]}};
    entry_4 <= coefficients[{function_3, argument_3[25:18]}];
    position_4 <= position_3;
    square_4 <= magnitude_3 * magnitude_3;
    exponent_4 <= exponent_3;
    sign_4 <= sign_3;
    value_4 <= value_3;
    bypass_4 <= bypass_3;
  end

// Stage 5: products. The offset is the position less 2^17, so c1 * offset / 2^14 is c1 * position / 2^14 - 8 c1.
reg [26:0] constant_5;
reg [35:0] linear_5;
reg [23:0] quadratic_5;
reg [9:0] exponent_5;
reg sign_5;
reg [31:0] value_5;
reg bypass_5;

always @(posedge clock)
  if (in_enable$4) begin
    constant_5 <= {1'b1, entry_4[25:0]} - {9'd0, entry_4[43:26]};
    linear_5 <= entry_4[43:26] * position_4;
    quadratic_5 <= entry_4[53:44] * square_4[23:10];
    exponent_5 <= exponent_4;
    sign_5 <= sign_4;
    value_5 <= value_4;
    bypass_5 <= bypass_4;
  end

// Stage 6: y, in 2^-29; how far a subnormal result moves.
reg [30:0] y_6;
reg [4:0] shift_6;
reg [7:0] exponent_6;
reg over_6;
reg sign_6;
reg [31:0] value_6;
reg bypass_6;

always @(posedge clock)
  if (in_enable$5) begin : stage_6
    reg [9:0] under_5;
    under_5 = 10'd1 - exponent_5;
    y_6 <= {1'b0, constant_5, 3'd0} + {9'd0, linear_5[35:14]} + {18'd0, quadratic_5[23:11]};
    shift_6 <= under_5[9] ? 5'd0 : under_5[4:0];
    exponent_6 <= under_5[9] ? exponent_5[7:0] - 8'd1 : 8'd0;
    over_6 <= ~exponent_5[9] & (exponent_5[8] | (&exponent_5[7:0]));
    sign_6 <= sign_5;
    value_6 <= value_5;
    bypass_6 <= bypass_5;
  end

// Stage 7: a subnormal result moves.
reg [30:0] y_7;
reg lost_7;
reg [7:0] exponent_7;
reg over_7;
reg sign_7;
reg [31:0] value_7;
reg bypass_7;

always @(posedge clock)
  if (in_enable$6) begin : stage_7
    reg [30:0] moved_6;
    reg [30:0] dropped_6;
    moved_6 = y_6 >> shift_6;
    dropped_6 = y_6 & ~(31'h7fffffff << shift_6);
    y_7 <= moved_6;
    lost_7 <= |dropped_6;
    exponent_7 <= exponent_6;
    over_7 <= over_6;
    sign_7 <= sign_6;
    value_7 <= value_6;
    bypass_7 <= bypass_6;
  end

// Stage 8: round and pack. The hidden bit adds one to the exponent.
always @(posedge clock)
  if (in_enable$7) begin : stage_8
    reg round_7;
    reg [31:0] packed_7;
    round_7 = y_7[5] & (y_7[6] | (|y_7[4:0]) | lost_7);
    packed_7 = {1'b0, exponent_7, 23'd0} + {7'd0, y_7[30:6]} + {31'd0, round_7};
    out_result <= bypass_7 ? value_7 : {sign_7, over_7 ? 31'h7f800000 : packed_7[30:0]};
  end
