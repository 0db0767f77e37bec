// The product of product.v as one MULT18X18D: the active weight in the input register of B, the product in the output register.

(* techmap_celltype = "lpu_ecp5_product" *)
module lpu_ecp5_product_map (clock, install, enable, x, shadow, product);

  input         clock, install, enable;
  input  [7:0]  x, shadow;
  output [15:0] product;

  MULT18X18D #(
    .REG_INPUTA_CLK("NONE"),
    .REG_INPUTB_CLK("CLK0"),
    .REG_INPUTB_CE("CE0"),
    .REG_PIPELINE_CLK("NONE"),
    .REG_OUTPUT_CLK("CLK0"),
    .REG_OUTPUT_CE("CE1"),
    .GSR("DISABLED")
  ) multiplier (
    .CLK0(clock), .CE0(install), .CE1(enable), .RST0(1'b0),
    .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
    .A0(x[0]), .A1(x[1]), .A2(x[2]), .A3(x[3]), .A4(x[4]), .A5(x[5]),
    .A6(x[6]), .A7(x[7]), .A8(x[7]), .A9(x[7]), .A10(x[7]), .A11(x[7]),
    .A12(x[7]), .A13(x[7]), .A14(x[7]), .A15(x[7]), .A16(x[7]), .A17(x[7]),
    .B0(shadow[0]), .B1(shadow[1]), .B2(shadow[2]), .B3(shadow[3]), .B4(shadow[4]), .B5(shadow[5]),
    .B6(shadow[6]), .B7(shadow[7]), .B8(shadow[7]), .B9(shadow[7]), .B10(shadow[7]), .B11(shadow[7]),
    .B12(shadow[7]), .B13(shadow[7]), .B14(shadow[7]), .B15(shadow[7]), .B16(shadow[7]), .B17(shadow[7]),
    .P0(product[0]), .P1(product[1]), .P2(product[2]), .P3(product[3]), .P4(product[4]), .P5(product[5]),
    .P6(product[6]), .P7(product[7]), .P8(product[8]), .P9(product[9]), .P10(product[10]), .P11(product[11]),
    .P12(product[12]), .P13(product[13]), .P14(product[14]), .P15(product[15])
  );

endmodule
