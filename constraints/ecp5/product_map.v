// The product of product.v as one MULT18X18D: the active weight in the input register of B, the product in the output register.
// The operands are the high bits of the 18, so that no sign has to be routed to the others; the product is then the high bits.

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
    .A0(1'b0), .A1(1'b0), .A2(1'b0), .A3(1'b0), .A4(1'b0), .A5(1'b0),
    .A6(1'b0), .A7(1'b0), .A8(1'b0), .A9(1'b0), .A10(x[0]), .A11(x[1]),
    .A12(x[2]), .A13(x[3]), .A14(x[4]), .A15(x[5]), .A16(x[6]), .A17(x[7]),
    .B0(1'b0), .B1(1'b0), .B2(1'b0), .B3(1'b0), .B4(1'b0), .B5(1'b0),
    .B6(1'b0), .B7(1'b0), .B8(1'b0), .B9(1'b0), .B10(shadow[0]), .B11(shadow[1]),
    .B12(shadow[2]), .B13(shadow[3]), .B14(shadow[4]), .B15(shadow[5]), .B16(shadow[6]), .B17(shadow[7]),
    .P20(product[0]), .P21(product[1]), .P22(product[2]), .P23(product[3]), .P24(product[4]), .P25(product[5]),
    .P26(product[6]), .P27(product[7]), .P28(product[8]), .P29(product[9]), .P30(product[10]), .P31(product[11]),
    .P32(product[12]), .P33(product[13]), .P34(product[14]), .P35(product[15])
  );

endmodule
