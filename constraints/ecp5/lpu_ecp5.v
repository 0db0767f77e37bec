// The tile on an ECP5: one register between every pin and the tile, so that all paths of the tile, also those at its
// ports, run from register to register and count in the frequency. Answers come two cycles later than at the tile.

`default_nettype none

module lpu_ecp5 (
  input  wire        clock,
  input  wire        reset,
  input  wire        in_host_valid,
  input  wire        in_host_write,
  input  wire [31:0] in_host_address,
  input  wire [63:0] in_host_data,
  output reg         out_host_valid,
  output reg         out_host_error,
  output reg  [63:0] out_host_data,
  output reg         out_busy,
  output reg         out_fault
);

  reg        reset_in;
  reg        host_valid_in;
  reg        host_write_in;
  reg [31:0] host_address_in;
  reg [63:0] host_data_in;
  wire        host_valid_out;
  wire        host_error_out;
  wire [63:0] host_data_out;
  wire        busy_out;
  wire        fault_out;

  always @(posedge clock) begin
    reset_in <= reset;
    host_valid_in <= in_host_valid;
    host_write_in <= in_host_write;
    host_address_in <= in_host_address;
    host_data_in <= in_host_data;
    out_host_valid <= host_valid_out;
    out_host_error <= host_error_out;
    out_host_data <= host_data_out;
    out_busy <= busy_out;
    out_fault <= fault_out;
  end

  lpu_tile tile (
    .clock(clock),
    .reset(reset_in),
    .in_host_valid(host_valid_in),
    .in_host_write(host_write_in),
    .in_host_address(host_address_in),
    .in_host_data(host_data_in),
    .out_host_valid(host_valid_out),
    .out_host_error(host_error_out),
    .out_host_data(host_data_out),
    .out_busy(busy_out),
    .out_fault(fault_out)
  );

endmodule

`default_nettype wire
