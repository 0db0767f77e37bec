// Stage 1: magnitude; an int8 sum stays as it is.
reg [63:0] magnitude_1;
reg sign_1;
reg nan_1;
reg integer_1;
reg block_1;

always @(posedge clock)
  if (in_enable$0) begin : stage_1
    reg negative;
    negative = in_sum[63] && in_format != 2'd0;
    magnitude_1 <= (in_sum ^ {64{negative}}) + {63'd0, negative};
    sign_1 <= in_sum[63];
    nan_1 <= in_nan;
    integer_1 <= in_format == 2'd0;
    block_1 <= in_format == 2'd2;
  end

// Stage 2: the first byte that is not zero comes to the top; of what is below 39 bits only whether it is zero matters.
reg [38:0] magnitude_2;
reg sticky_2;
reg [2:0] byte_2;
reg sign_2;
reg nan_2;
reg integer_2;
reg block_2;

always @(posedge clock)
  if (in_enable$1) begin : stage_2
    reg [7:1] any;
    reg [2:0] top;
    reg [63:0] normal;
    any = {|magnitude_1[63:56], |magnitude_1[55:48], |magnitude_1[47:40], |magnitude_1[39:32],
      |magnitude_1[31:24], |magnitude_1[23:16], |magnitude_1[15:8]};
    top = any[7] ? 3'd7 : any[6] ? 3'd6 : any[5] ? 3'd5 : any[4] ? 3'd4
      : any[3] ? 3'd3 : any[2] ? 3'd2 : any[1] ? 3'd1 : 3'd0;
    normal = magnitude_1 << {~top, 3'd0};
    magnitude_2 <= integer_1 ? {7'd0, magnitude_1[31:0]} : normal[63:25];
    sticky_2 <= |normal[24:0];
    byte_2 <= top;
    sign_2 <= sign_1;
    nan_2 <= nan_1;
    integer_2 <= integer_1;
    block_2 <= block_1;
  end

// Stage 3: the first bit likewise; round and pack. The leading bit of byte j counts 2^(8 j + 7) units.
always @(posedge clock)
  if (in_enable$2) begin : stage_3
    reg [7:0] top;
    reg [2:0] zeros;
    reg [38:0] normal;
    reg up;
    reg [7:0] exponent;
    reg [30:0] packed_bits;
    top = magnitude_2[38:31];
    zeros = {~|top[7:4],
      (|top[7:4]) ? ~|top[7:6] : ~|top[3:2],
      (|top[7:6]) ? ~top[7] : (|top[5:4]) ? ~top[5] : (|top[3:2]) ? ~top[3] : ~top[1]};
    normal = magnitude_2 << zeros;
    up = normal[14] && (normal[15] || (|normal[13:0]) || sticky_2);
    exponent = (block_2 ? 8'd114 : 8'd116) + {2'd0, byte_2, 3'd0} - {5'd0, zeros};
    packed_bits = {exponent, normal[37:15]} + {30'd0, up};
    out_word <= integer_2 ? magnitude_2[31:0] : nan_2 ? 32'h7fc00000
      : normal[38] ? {sign_2, packed_bits} : 32'd0;
  end
