// Ports of every storage class, each registered; two instances of one module inside.
module wide(
    input              clock,
    input      [11:0]  in_12,
    input      [32:0]  in_33,
    input      [63:0]  in_64,
    input      [199:0] in_200,
    output reg [11:0]  out_12,
    output reg [32:0]  out_33,
    output reg [63:0]  out_64,
    output     [199:0] out_200,
    output     [199:0] out_inverted
);
    always @(posedge clock) begin
        out_12 <= in_12;
        out_33 <= in_33;
        out_64 <= in_64;
    end
    wide_register straight(.clock(clock), .d(in_200), .q(out_200));
    wide_register inverted(.clock(clock), .d(~in_200), .q(out_inverted));
endmodule

module wide_register(input clock, input [199:0] d, output reg [199:0] q);
    reg [199:0] unread;
    wire        any = |q;
    always @(posedge clock) begin
        q <= d;
        unread <= {d[99:0], q[99:0]};
    end
endmodule
