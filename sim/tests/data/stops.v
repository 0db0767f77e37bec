// Stops itself after eight cycles.
module stops(input clock, output reg [3:0] count);
    always @(posedge clock) begin
        count <= count + 4'd1;
        if (count == 4'd7) $finish;
    end
endmodule
