// A multiplexer whose value is a don't-care when nothing is selected: AND and OR alone.
(* techmap_celltype = "$pmux" *)
module lpu_ecp5_pmux (A, B, S, Y);
  parameter WIDTH = 1;
  parameter S_WIDTH = 1;
  input  [WIDTH-1:0] A;
  input  [WIDTH*S_WIDTH-1:0] B;
  input  [S_WIDTH-1:0] S;
  output [WIDTH-1:0] Y;

  parameter [WIDTH-1:0] _TECHMAP_CONSTMSK_A_ = 0;
  parameter [WIDTH-1:0] _TECHMAP_CONSTVAL_A_ = 0;
  wire _TECHMAP_FAIL_ = !(&_TECHMAP_CONSTMSK_A_) || _TECHMAP_CONSTVAL_A_ !== {WIDTH{1'bx}};

  genvar bit_, arm;
  generate
    for (bit_ = 0; bit_ < WIDTH; bit_ = bit_ + 1) begin : bits
      wire [S_WIDTH-1:0] column;
      for (arm = 0; arm < S_WIDTH; arm = arm + 1) begin : arms
        assign column[arm] = B[arm * WIDTH + bit_];
      end
      assign Y[bit_] = |(column & S);
    end
  endgenerate
endmodule
