// Plays a record of the host port (lpu run matmul --record-host FILE) on the tile in its ECP5 wrapper and prints the outputs
// after every rising clock edge, in hexadecimal, in the order of the ports.
//
//     +record=FILE    lines `cycles reset valid write address data`, the first decimal, the others hexadecimal

`default_nettype none
`timescale 1ns / 1ps

module play;
  reg clock = 1'b0;
  reg reset, valid, write;
  reg [31:0] address;
  reg [63:0] data;
  wire out_valid, out_error, out_busy, out_fault;
  wire [63:0] out_data;

  lpu_ecp5 dut (
    .clock(clock), .reset(reset), .in_host_valid(valid), .in_host_write(write), .in_host_address(address),
    .in_host_data(data), .out_host_valid(out_valid), .out_host_error(out_error), .out_host_data(out_data),
    .out_busy(out_busy), .out_fault(out_fault)
  );

  reg [8 * 4096 - 1 : 0] name;
  integer file, fields, cycles;

  initial begin
    if (!$value$plusargs("record=%s", name)) begin
      $display("play: +record=FILE is missing");
      $finish;
    end
    file = $fopen(name, "r");
    fields = $fscanf(file, "%d %h %h %h %h %h", cycles, reset, valid, write, address, data);
    while (fields == 6) begin
      repeat (cycles) begin
        #5 clock = 1'b1;
        #5 $display("%h %h %h %h %h", out_valid, out_error, out_data, out_busy, out_fault);
        clock = 1'b0;
      end
      fields = $fscanf(file, "%d %h %h %h %h %h", cycles, reset, valid, write, address, data);
    end
    $finish;
  end
endmodule

`default_nettype wire
