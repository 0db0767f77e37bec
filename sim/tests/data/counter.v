// Counts while enabled; `carry` marks the cycle in which the low four bits became zero.
module counter(
    input             clock,
    input             reset,
    input             enable,
    output reg [15:0] count,
    output            carry
);
    reg wrapped;
    assign carry = wrapped & enable;
    always @(posedge clock) begin
        count <= reset ? 16'd0 : count + {15'd0, enable};
        wrapped <= ~reset & enable & (count[3:0] == 4'd15);
    end
endmodule
