// Stage 1: operands, modifiers, classes, comparison, distance of the exponents.
// A subnormal number has the exponent of the smallest normal one and no hidden bit.
reg [31:0] p_1;
reg [31:0] y_1;
reg [31:0] z_1;
reg p_normal_1;
reg y_normal_1;
reg z_normal_1;
reg p_nan_1;
reg p_zero_1;
reg product_zero_1;
reg product_infinite_1;
reg product_invalid_1;
reg z_zero_1;
reg z_infinite_1;
reg z_nan_1;
reg compare_nan_1;
reg below_1;
reg same_1;
reg [7:0] z_exponent_1;
reg [9:0] distance_1;
reg [2:0] operation_1;

always @(posedge clock)
  if (in_enable$0) begin : stage_1
    reg [31:0] y;
    reg [31:0] z;
    reg p_sign;
    reg p_high;
    reg y_high;
    reg z_high;
    reg [7:0] p_exponent;
    reg [7:0] y_exponent;
    reg [7:0] z_exponent;
    reg p_normal;
    reg y_normal;
    reg z_normal;
    reg p_fraction;
    reg y_fraction;
    reg z_fraction;
    reg p_top;
    reg y_top;
    reg z_top;
    reg p_zero;
    reg y_zero;
    reg p_infinite;
    reg y_infinite;
    reg p_nan;
    reg y_nan;
    case (in_y_source)
      2'd0: y = in_y;
      2'd1: y = in_b;
      2'd2: y = in_r;
      default: y = in_p;
    endcase
    case (in_z_source)
      2'd0: z = in_z;
      2'd1: z = in_b;
      2'd2: z = in_r;
      default: z = in_p;
    endcase
    p_sign = (in_p[31] & ~in_absolute) ^ in_negate;
    p_high = |in_p[30:24];
    y_high = |y[30:24];
    z_high = |z[30:24];
    p_exponent = {in_p[30:24], in_p[23] | ~p_high};
    y_exponent = {y[30:24], y[23] | ~y_high};
    z_exponent = {z[30:24], z[23] | ~z_high};
    p_normal = p_high | in_p[23];
    y_normal = y_high | y[23];
    z_normal = z_high | z[23];
    p_fraction = |in_p[22:0];
    y_fraction = |y[22:0];
    z_fraction = |z[22:0];
    p_top = &in_p[30:23];
    y_top = &y[30:23];
    z_top = &z[30:23];
    p_zero = ~p_normal & ~p_fraction;
    y_zero = ~y_normal & ~y_fraction;
    p_infinite = p_top & ~p_fraction;
    y_infinite = y_top & ~y_fraction;
    p_nan = p_top & p_fraction;
    y_nan = y_top & y_fraction;
    p_1 <= {p_sign, in_p[30:0]};
    y_1 <= y;
    z_1 <= {z[31] ^ in_negate_z, z[30:0]};
    p_normal_1 <= p_normal;
    y_normal_1 <= y_normal;
    z_normal_1 <= z_normal;
    p_nan_1 <= p_nan;
    p_zero_1 <= p_zero;
    product_zero_1 <= p_zero | y_zero;
    product_infinite_1 <= p_infinite | y_infinite;
    product_invalid_1 <= p_nan | y_nan | (p_infinite & y_zero) | (p_zero & y_infinite);
    z_zero_1 <= ~z_normal & ~z_fraction;
    z_infinite_1 <= z_top & ~z_fraction;
    z_nan_1 <= z_top & z_fraction;
    compare_nan_1 <= p_nan | y_nan;
    below_1 <= in_p[30:0] < y[30:0];
    same_1 <= in_p[30:0] == y[30:0];
    z_exponent_1 <= z_exponent;
    distance_1 <= {2'd0, p_exponent} + {2'd0, y_exponent} - {2'd0, z_exponent} - 10'd100;
    operation_1 <= in_operation;
  end

// Stage 2: partial products, fine alignment of Z, and what passes by: results that are no sum, exact as they are.
reg [23:0] product_hh_2;
reg [23:0] product_hl_2;
reg [23:0] product_lh_2;
reg [23:0] product_ll_2;
reg product_sign_2;
reg signs_differ_2;
reg [38:0] addend_2;
reg [4:0] group_2;
reg beyond_2;
reg [8:0] exponent_2;
reg [31:0] bypass_value_2;
reg bypass_2;

always @(posedge clock)
  if (in_enable$1) begin : stage_2
    reg [23:0] p_significand_1;
    reg [23:0] y_significand_1;
    reg [23:0] z_significand_1;
    reg product_sign_1;
    reg signs_differ_1;
    reg is_fma_1;
    reg is_extreme_1;
    reg is_select_1;
    reg is_compare_1;
    reg invalid_1;
    reg zeros_1;
    reg same_sign_1;
    reg less_1;
    reg equal_1;
    reg holds_1;
    reg chosen_1;
    reg take_p_1;
    reg take_y_1;
    reg take_z_1;
    reg give_nan_1;
    reg give_infinity_1;
    reg give_one_1;
    reg z_sign_1;
    reg [31:0] constant_1;
    reg before_1;
    reg [6:0] shift_1;
    p_significand_1 = {p_normal_1, p_1[22:0]};
    y_significand_1 = {y_normal_1, y_1[22:0]};
    z_significand_1 = {z_normal_1, z_1[22:0]};
    product_sign_1 = p_1[31] ^ y_1[31];
    signs_differ_1 = product_sign_1 ^ z_1[31];
    is_fma_1 = operation_1 == 3'd1;
    is_extreme_1 = operation_1[2:1] == 2'd1;
    is_select_1 = operation_1 == 3'd7;
    is_compare_1 = operation_1[2] & ~is_select_1;
    invalid_1 = product_invalid_1 | z_nan_1 | (product_infinite_1 & z_infinite_1 & signs_differ_1);
    zeros_1 = p_zero_1 & same_1;
    same_sign_1 = p_1[31] ~^ y_1[31];
    less_1 = same_sign_1 ? (p_1[31] ? ~below_1 & ~same_1 : below_1) : p_1[31];
    equal_1 = same_1 & (same_sign_1 | zeros_1);
    holds_1 = ~compare_nan_1 & ((less_1 & ~zeros_1 & ~operation_1[1]) | (equal_1 & (operation_1[1] | operation_1[0])));
    chosen_1 = ~(p_zero_1 | p_nan_1);
    take_p_1 = (operation_1 == 3'd0) | (is_extreme_1 & ~compare_nan_1 & (less_1 ~^ operation_1[0]));
    take_y_1 = (is_extreme_1 & ~compare_nan_1 & (less_1 ^ operation_1[0])) | (is_select_1 & chosen_1);
    take_z_1 = (is_fma_1 & ~invalid_1 & ~product_infinite_1) | (is_select_1 & ~chosen_1);
    give_nan_1 = (is_fma_1 & invalid_1) | (is_extreme_1 & compare_nan_1);
    give_infinity_1 = is_fma_1 & product_infinite_1 & ~invalid_1;
    give_one_1 = is_compare_1 & holds_1;
    z_sign_1 = z_1[31] & ~(is_fma_1 & z_zero_1 & ~product_sign_1);
    constant_1 = {give_infinity_1 & product_sign_1, give_nan_1 | give_infinity_1,
      {7{give_nan_1 | give_infinity_1 | give_one_1}}, give_nan_1, 22'd0};
    before_1 = distance_1[9];
    shift_1 = distance_1[6:0] & {7{~before_1}};
    product_hh_2 <= p_significand_1[23:12] * y_significand_1[23:12];
    product_hl_2 <= p_significand_1[23:12] * y_significand_1[11:0];
    product_lh_2 <= p_significand_1[11:0] * y_significand_1[23:12];
    product_ll_2 <= p_significand_1[11:0] * y_significand_1[11:0];
    product_sign_2 <= product_sign_1;
    signs_differ_2 <= signs_differ_1;
    addend_2 <= {z_significand_1, 15'd0} >> shift_1[3:0];
    group_2[0] <= before_1 | (distance_1[8:4] == 5'd0);
    group_2[1] <= ~before_1 & (distance_1[8:4] == 5'd1);
    group_2[2] <= ~before_1 & (distance_1[8:4] == 5'd2);
    group_2[3] <= ~before_1 & (distance_1[8:4] == 5'd3);
    group_2[4] <= ~before_1 & (distance_1[8:4] == 5'd4);
    beyond_2 <= ~before_1 & (distance_1[8:4] > 5'd4);
    exponent_2 <= {1'd0, z_exponent_1} + (distance_1[8:0] & {9{~before_1}});
    bypass_value_2 <= ({32{take_p_1}} & p_1) | ({32{take_y_1}} & y_1)
      | ({32{take_z_1}} & {z_sign_1, z_1[30:0]}) | constant_1;
    bypass_2 <= ~is_fma_1 | invalid_1 | product_infinite_1 | z_infinite_1 | product_zero_1;
  end

// Stage 3: product, coarse alignment. What passes by takes the place of Z at the very top, beside a product of zero.
reg [47:0] product_3;
reg [76:0] addend_3;
reg sticky_3;
reg subtract_3;
reg sign_3;
reg bypass_3;
reg [8:0] exponent_3;

always @(posedge clock)
  if (in_enable$2) begin : stage_3
    reg [24:0] product_middle_2;
    reg [35:0] product_upper_2;
    reg bypass_normal_2;
    reg [4:0] place_2;
    product_middle_2 = {1'd0, product_hl_2} + {1'd0, product_lh_2};
    product_upper_2 = {product_hh_2, product_ll_2[23:12]} + {11'd0, product_middle_2};
    bypass_normal_2 = |bypass_value_2[30:23];
    place_2 = group_2 & {5{~bypass_2}};
    product_3 <= bypass_2 ? 48'd0 : {product_upper_2, product_ll_2[11:0]};
    addend_3 <= ({77{place_2[0]}} & {addend_2, 38'd0})
      | ({77{place_2[1]}} & {16'd0, addend_2, 22'd0})
      | ({77{place_2[2]}} & {32'd0, addend_2, 6'd0})
      | ({77{place_2[3]}} & {48'd0, addend_2[38:10]})
      | ({77{place_2[4]}} & {64'd0, addend_2[38:26]})
      | ({77{bypass_2}} & {bypass_normal_2, bypass_value_2[22:0], 53'd0});
    sticky_3 <= ~bypass_2 & ((group_2[3] & |addend_2[9:0]) | (group_2[4] & |addend_2[25:0]) | (beyond_2 & |addend_2));
    subtract_3 <= signs_differ_2 & ~bypass_2;
    sign_3 <= bypass_2 ? bypass_value_2[31] : product_sign_2;
    bypass_3 <= bypass_2;
    exponent_3 <= bypass_2 ? {1'd0, bypass_value_2[30:24], bypass_value_2[23] | ~bypass_normal_2} : exponent_2;
  end

// Stage 4: product plus or minus Z where both have bits, Z minus product, and Z above plus or minus one.
// The exponent is one too small from here on; the hidden bit makes up for it at the end.
reg [51:0] sum_4;
reg [51:0] difference_4;
reg [25:0] above_4;
reg [25:0] above_step_4;
reg above_any_4;
reg sticky_4;
reg subtract_4;
reg sign_4;
reg bypass_4;
reg [8:0] exponent_4;

always @(posedge clock)
  if (in_enable$3) begin : stage_4
    reg [52:0] sum_3;
    reg [51:0] difference_3;
    sum_3 = {1'd0, product_3, 3'd0, 1'd1} + {1'd0, addend_3[50:0] ^ {51{subtract_3}}, subtract_3 & ~sticky_3};
    difference_3 = {1'd0, addend_3[50:0]} - {1'd0, product_3, 3'd0};
    sum_4 <= sum_3[52:1];
    difference_4 <= difference_3;
    above_4 <= addend_3[76:51];
    above_step_4 <= addend_3[76:51] + {{25{subtract_3}}, 1'd1};
    above_any_4 <= |addend_3[76:51];
    sticky_4 <= sticky_3;
    subtract_4 <= subtract_3;
    sign_4 <= sign_3;
    bypass_4 <= bypass_3;
    exponent_4 <= exponent_3 - 9'd1;
  end

// Stage 5: the magnitude of the sum, which of its nibbles are not zero, and where subnormal results begin.
reg [79:0] total_5;
reg [19:0] nibble_5;
reg [4:0] group_any_5;
reg [4:0] end_group_5;
reg [3:0] end_nibble_5;
reg [3:0] end_bit_5;
reg sticky_5;
reg subtract_5;
reg sign_5;
reg bypass_5;
reg [8:0] exponent_5;

integer n;
always @(posedge clock)
  if (in_enable$4) begin : stage_5
    reg negative_4;
    reg step_4;
    reg [79:0] total_4;
    negative_4 = subtract_4 & (above_any_4 | ~sum_4[51]);
    step_4 = subtract_4 ? above_any_4 & difference_4[51] : sum_4[51];
    total_4 = {step_4 ? above_step_4 : above_4, negative_4 ? difference_4[50:0] : sum_4[50:0], 3'd0};
    total_5 <= total_4;
    for (n = 0; n < 20; n = n + 1) nibble_5[n] <= |total_4[4 * n +: 4];
    for (n = 0; n < 5; n = n + 1) group_any_5[n] <= |total_4[64 - 16 * n +: 16];
    end_group_5[0] <= exponent_4[8:4] == 5'd0;
    end_group_5[1] <= exponent_4[8:4] == 5'd1;
    end_group_5[2] <= exponent_4[8:4] == 5'd2;
    end_group_5[3] <= exponent_4[8:4] == 5'd3;
    end_group_5[4] <= exponent_4[8:4] == 5'd4;
    end_nibble_5 <= 4'd8 >> exponent_4[3:2];
    end_bit_5 <= 4'd8 >> exponent_4[1:0];
    sticky_5 <= sticky_4;
    subtract_5 <= subtract_4;
    sign_5 <= sign_4 ^ negative_4;
    bypass_5 <= bypass_4;
    exponent_5 <= exponent_4;
  end

// Stage 6: the first group of 16 bits that is not zero, or in which subnormal results begin, comes to the top.
reg [47:0] total_6;
reg [3:0] nibble_6;
reg [3:0] end_nibble_6;
reg [3:0] end_bit_6;
reg nothing_6;
reg sticky_6;
reg sign_6;
reg bypass_6;
reg [8:0] exponent_6;

always @(posedge clock)
  if (in_enable$5) begin : stage_6
    reg [4:0] found_5;
    reg [4:0] first_5;
    reg end_here_5;
    reg nothing_5;
    found_5 = group_any_5 | end_group_5;
    first_5 = {~|found_5[3:0], found_5[3] & ~|found_5[2:0], found_5[2] & ~|found_5[1:0], found_5[1] & ~found_5[0], found_5[0]};
    end_here_5 = |(first_5 & end_group_5);
    nothing_5 = ~|group_any_5;
    total_6 <= ({48{first_5[0]}} & total_5[79:32]) | ({48{first_5[1]}} & total_5[63:16])
      | ({48{first_5[2]}} & total_5[47:0]) | ({48{first_5[3]}} & {total_5[31:0], 16'd0})
      | ({48{first_5[4]}} & {total_5[15:0], 32'd0});
    nibble_6 <= ({4{first_5[0]}} & nibble_5[19:16]) | ({4{first_5[1]}} & nibble_5[15:12])
      | ({4{first_5[2]}} & nibble_5[11:8]) | ({4{first_5[3]}} & nibble_5[7:4])
      | ({4{first_5[4]}} & nibble_5[3:0]) | ({4{end_here_5}} & end_nibble_5);
    end_nibble_6 <= end_nibble_5 & {4{end_here_5}};
    end_bit_6 <= end_bit_5;
    nothing_6 <= nothing_5;
    sticky_6 <= sticky_5 | (first_5[0] & |group_any_5[4:3]) | (first_5[1] & group_any_5[4]);
    sign_6 <= sign_5 & ~(nothing_5 & subtract_5);
    bypass_6 <= bypass_5;
    exponent_6 <= {exponent_5[8:4] - {2'd0, first_5[4], first_5[3] | first_5[2], first_5[3] | first_5[1]}, exponent_5[3:0]};
  end

// Stage 7: the same with nibbles and bits.
reg [39:0] total_7;
reg sticky_7;
reg sign_7;
reg bypass_7;
reg [8:0] exponent_7;

always @(posedge clock)
  if (in_enable$6) begin : stage_7
    reg [3:0] first_6;
    reg end_here_6;
    reg [39:0] moved_6;
    reg [2:0] top_6;
    reg [1:0] zeros_6;
    first_6 = {~|nibble_6[3:1], nibble_6[1] & ~|nibble_6[3:2], nibble_6[2] & ~nibble_6[3], nibble_6[3]};
    end_here_6 = |({first_6[0], first_6[1], first_6[2], first_6[3]} & end_nibble_6);
    moved_6 = ({40{first_6[0]}} & total_6[47:8]) | ({40{first_6[1]}} & {total_6[43:8], 4'd0})
      | ({40{first_6[2]}} & {total_6[39:8], 8'd0}) | ({40{first_6[3]}} & {total_6[35:8], 12'd0});
    top_6 = moved_6[39:37] | (end_bit_6[3:1] & {3{end_here_6}});
    zeros_6 = {~|top_6[2:1], ~top_6[2] & (top_6[1] | ~top_6[0])};
    total_7 <= moved_6 << zeros_6;
    sticky_7 <= sticky_6 | |total_6[7:0];
    sign_7 <= sign_6;
    bypass_7 <= bypass_6;
    exponent_7 <= nothing_6 ? 9'd0
      : exponent_6 - {5'd0, first_6[3] | first_6[2], first_6[3] | first_6[1], zeros_6};
  end

// Stage 8: round and pack.
always @(posedge clock)
  if (in_enable$7) begin : stage_8
    reg round_7;
    reg overflow_7;
    reg [32:0] packed_7;
    round_7 = total_7[15] & (total_7[16] | sticky_7 | |total_7[14:0]);
    overflow_7 = ~bypass_7 & (exponent_7[8] | &exponent_7[7:1]);
    packed_7 = {exponent_7, total_7[38:16], 1'd1} + {8'd0, total_7[39], 23'd0, round_7};
    out_result <= {sign_7, overflow_7 ? 31'h7f800000 : packed_7[31:1]};
  end
