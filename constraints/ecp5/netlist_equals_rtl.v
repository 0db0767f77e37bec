// The RTL and the mapped netlist side by side on the same inputs. scripts/fpga_ecp5.py --check plays a record of the host
// port on it (netlist_equals_rtl.cpp) and compares every output in every cycle.

`default_nettype none

module netlist_equals_rtl #(
  parameter MUTANTS = 16
) (
  input  wire        clock,
  input  wire        reset,
  input  wire        valid,
  input  wire        write,
  input  wire [31:0] address,
  input  wire [63:0] data,
  input  wire [MUTANTS - 1:0] mutate,  // each bit inverts a LUT of the netlist
  output wire [3:0]  rtl_flags,  // busy, fault, valid, error
  output wire [63:0] rtl_data,
  output wire [3:0]  netlist_flags,
  output wire [63:0] netlist_data
);

  lpu_ecp5 rtl (
    .clock(clock), .reset(reset), .in_host_valid(valid), .in_host_write(write), .in_host_address(address),
    .in_host_data(data), .out_busy(rtl_flags[3]), .out_fault(rtl_flags[2]), .out_host_valid(rtl_flags[1]),
    .out_host_error(rtl_flags[0]), .out_host_data(rtl_data)
  );

  lpu_netlist netlist (
    .mutate(mutate),
    .clock(clock), .reset(reset), .in_host_valid(valid), .in_host_write(write), .in_host_address(address),
    .in_host_data(data), .out_busy(netlist_flags[3]), .out_fault(netlist_flags[2]), .out_host_valid(netlist_flags[1]),
    .out_host_error(netlist_flags[0]), .out_host_data(netlist_data)
  );

endmodule

// A LUT4 of yosys with an inverter behind it.
module LUT4_OR_MUTANT #(
  parameter [15:0] INIT = 16'd0
) (
  input  wire mutated,
  input  wire A,
  input  wire B,
  input  wire C,
  input  wire D,
  output wire Z
);

  wire lut;
  LUT4 #(.INIT(INIT)) cell_of_yosys (.A(A), .B(B), .C(C), .D(D), .Z(lut));
  assign Z = lut ^ mutated;

endmodule

`default_nettype wire
