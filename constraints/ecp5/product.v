// One product of the MXM with the registers around it: what scripts/fpga_ecp5.py looks for in the array.

`default_nettype none

module lpu_ecp5_product (
  input  wire               clock,
  input  wire               install,  // shadow to active weight
  input  wire               enable,   // loads the product
  input  wire signed [7:0]  x,
  input  wire signed [7:0]  shadow,
  output reg  signed [15:0] product
);

  reg signed [7:0] weight;

  always @(posedge clock)
    if (install) weight <= shadow;

  always @(posedge clock)
    if (enable) product <= x * weight;

endmodule

`default_nettype wire
