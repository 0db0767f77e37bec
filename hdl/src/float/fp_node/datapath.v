// Stage 1: order of the magnitudes, distance of the exponents, classes.
// A subnormal number has the exponent of the smallest normal one and no hidden bit.
reg [31:0] a_1;
reg [31:0] b_1;
reg [LANE] a_lane_1;
reg [LANE] b_lane_1;
reg a_normal_1;
reg b_normal_1;
reg [7:0] a_exponent_1;
reg [7:0] b_exponent_1;
reg [7:0] a_distance_1;
reg [7:0] b_distance_1;
reg a_below_1;
reg same_1;
reg a_nan_1;
reg b_nan_1;
reg a_infinite_1;
reg b_infinite_1;
reg a_first_1;
reg maximum_1;

always @(posedge clock)
  if (in_enable$0) begin : stage_1
    reg a_high;
    reg b_high;
    reg [7:0] a_exponent;
    reg [7:0] b_exponent;
    reg a_top;
    reg b_top;
    reg a_fraction;
    reg b_fraction;
    a_high = |in_a[30:24];
    b_high = |in_b[30:24];
    a_exponent = {in_a[30:24], in_a[23] | ~a_high};
    b_exponent = {in_b[30:24], in_b[23] | ~b_high};
    a_top = &in_a[30:23];
    b_top = &in_b[30:23];
    a_fraction = |in_a[22:0];
    b_fraction = |in_b[22:0];
    a_1 <= in_a;
    b_1 <= in_b;
    a_lane_1 <= in_a_lane;
    b_lane_1 <= in_b_lane;
    a_normal_1 <= a_high | in_a[23];
    b_normal_1 <= b_high | in_b[23];
    a_exponent_1 <= a_exponent;
    b_exponent_1 <= b_exponent;
    a_distance_1 <= a_exponent - b_exponent;
    b_distance_1 <= b_exponent - a_exponent;
    a_below_1 <= in_a[30:0] < in_b[30:0];
    same_1 <= in_a[30:0] == in_b[30:0];
    a_nan_1 <= a_top & a_fraction;
    b_nan_1 <= b_top & b_fraction;
    a_infinite_1 <= a_top & ~a_fraction;
    b_infinite_1 <= b_top & ~b_fraction;
    a_first_1 <= in_a_lane < in_b_lane;
    maximum_1 <= in_maximum;
  end

// Stage 2: the smaller number beside the larger one; what is no sum of two finite numbers passes by.
reg [23:0] large_2;
reg [26:0] small_2;
reg lost_2;
reg subtract_2;
reg sign_2;
reg zero_sign_2;
reg [7:0] exponent_2;
reg [31:0] value_2;
reg bypass_2;
reg [LANE] lane_2;

always @(posedge clock)
  if (in_enable$1) begin : stage_2
    reg signs_differ_1;
    reg nan_1;
    reg equal_1;
    reg b_above_1;
    reg take_b_1;
    reg [23:0] small_1;
    reg [7:0] distance_1;
    reg [26:0] moved_1;
    reg [23:0] dropped_1;
    reg far_1;
    reg lost_1;
    reg invalid_1;
    signs_differ_1 = a_1[31] ^ b_1[31];
    nan_1 = a_nan_1 | b_nan_1;
    equal_1 = (a_nan_1 & b_nan_1) | (~nan_1 & same_1 & ~signs_differ_1);
    b_above_1 = nan_1 ? b_nan_1 & ~a_nan_1
      : signs_differ_1 ? a_1[31] : a_1[31] ? ~a_below_1 & ~same_1 : a_below_1;
    take_b_1 = equal_1 ? ~a_first_1 : b_above_1;
    small_1 = a_below_1 ? {a_normal_1, a_1[22:0]} : {b_normal_1, b_1[22:0]};
    distance_1 = a_below_1 ? b_distance_1 : a_distance_1;
    moved_1 = {small_1, 3'd0} >> distance_1[4:0];
    dropped_1 = small_1 & ~(24'hffffff << (distance_1[4:0] - 5'd3));
    far_1 = |distance_1[7:5];
    lost_1 = far_1 ? |small_1 : (distance_1[4:0] > 5'd3) & |dropped_1;
    invalid_1 = nan_1 | (a_infinite_1 & b_infinite_1 & signs_differ_1);
    large_2 <= a_below_1 ? {b_normal_1, b_1[22:0]} : {a_normal_1, a_1[22:0]};
    small_2 <= far_1 ? 27'd0 : moved_1;
    lost_2 <= lost_1;
    subtract_2 <= signs_differ_1;
    sign_2 <= a_below_1 ? b_1[31] : a_1[31];
    zero_sign_2 <= a_1[31] & b_1[31];
    exponent_2 <= a_below_1 ? b_exponent_1 : a_exponent_1;
    value_2 <= (maximum_1 ? nan_1 : invalid_1) ? 32'h7fc00000 : (maximum_1 ? take_b_1 : b_infinite_1) ? b_1 : a_1;
    bypass_2 <= maximum_1 | nan_1 | a_infinite_1 | b_infinite_1;
    lane_2 <= take_b_1 ? b_lane_1 : a_lane_1;
  end

// Stage 3: sum or difference; a bit that marks where subnormal results begin.
reg [27:0] total_3;
reg [27:0] mark_3;
reg lost_3;
reg sign_3;
reg zero_sign_3;
reg [7:0] exponent_3;
reg [31:0] value_3;
reg bypass_3;
reg [LANE] lane_3;

always @(posedge clock)
  if (in_enable$2) begin : stage_3
    reg [28:0] sum_2;
    reg [27:0] total_2;
    sum_2 = {1'b0, large_2, 3'd0, 1'b1} + {1'b0, small_2 ^ {27{subtract_2}}, subtract_2 & ~lost_2};
    total_2 = {sum_2[28] & ~subtract_2, sum_2[27:1]};
    total_3 <= total_2;
    mark_3 <= (exponent_2[7:5] == 3'd0) ? 28'h8000000 >> exponent_2[4:0] : 28'd0;
    lost_3 <= lost_2;
    sign_3 <= sign_2;
    zero_sign_3 <= zero_sign_2;
    exponent_3 <= exponent_2;
    value_3 <= value_2;
    bypass_3 <= bypass_2;
    lane_3 <= lane_2;
  end

// Stage 4: the first bit that is not zero, or the mark, comes to the top: groups of four bits, then bits.
reg [27:0] total_4;
reg [8:0] exponent_4;
reg lost_4;
reg sign_4;
reg [31:0] value_4;
reg bypass_4;
reg [LANE] lane_4;

always @(posedge clock)
  if (in_enable$3) begin : stage_4
    reg [27:0] found_3;
    reg [6:0] any_3;
    reg [2:0] groups_3;
    reg [27:0] moved_3;
    reg [27:0] place_3;
    reg [3:0] top_3;
    reg [1:0] zeros_3;
    found_3 = total_3 | mark_3;
    any_3 = {|found_3[27:24], |found_3[23:20], |found_3[19:16], |found_3[15:12], |found_3[11:8],
      |found_3[7:4], |found_3[3:0]};
    groups_3 = any_3[6] ? 3'd0 : any_3[5] ? 3'd1 : any_3[4] ? 3'd2 : any_3[3] ? 3'd3
      : any_3[2] ? 3'd4 : any_3[1] ? 3'd5 : 3'd6;
    moved_3 = total_3 << {groups_3, 2'd0};
    place_3 = found_3 << {groups_3, 2'd0};
    top_3 = place_3[27:24];
    zeros_3 = {~|top_3[3:2], (|top_3[3:2]) ? ~top_3[3] : ~top_3[1]};
    total_4 <= moved_3 << zeros_3;
    exponent_4 <= {1'b0, exponent_3} - {4'd0, groups_3, zeros_3};
    lost_4 <= lost_3;
    sign_4 <= sign_3;
    value_4 <= bypass_3 ? value_3 : {zero_sign_3, 31'd0};
    bypass_4 <= bypass_3 | ~|total_3;
    lane_4 <= lane_3;
  end

// Stage 5: round and pack. The hidden bit adds one to the exponent.
always @(posedge clock)
  if (in_enable$4) begin : stage_5
    reg round_4;
    reg [31:0] packed_4;
    round_4 = total_4[3] & (total_4[4] | (|total_4[2:0]) | lost_4);
    packed_4 = {exponent_4, total_4[26:4]} + {8'd0, total_4[27], 23'd0} + {31'd0, round_4};
    out_value <= bypass_4 ? value_4 : {sign_4, (&packed_4[30:23]) | packed_4[31] ? 31'h7f800000 : packed_4[30:0]};
    out_lane <= lane_4;
  end
