// PHY of differential pairs with a forwarded clock as a black box: a serialiser and a deserialiser of 64 bits for each lane (a gearbox behind those of the
// device, which are 4 to 10 bits wide).
//
// What has to stand behind it: the forwarded clock is that of the bits divided by 64, through a PLL at the other end; words come at any bit
// position, which the link finds by itself. There is no signal detect: `out_up` is the lock of the PLL.

`default_nettype none

// Nothing is inside.
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off UNDRIVEN */
(* blackbox *)
module lpu_c2c_phy_lvds #(
  parameter LANES = 1
) (
  // Clock of the bits, in phase with `clock`.
  input  wire                  in_bit_clock,
  input  wire                  clock,
  input  wire [64*LANES-1:0]   in_data,
  // Return what is sent, at the near end.
  input  wire                  in_loopback,
  // The forwarded clock of the other side, and words with it.
  output wire                  out_clock,
  output wire [64*LANES-1:0]   out_data,
  // The PLL on the forwarded clock is locked. Asynchronous.
  output wire                  out_up,
  // The board.
  input  wire                  pin_rx_clock_p,
  input  wire                  pin_rx_clock_n,
  input  wire [LANES-1:0]      pin_rx_p,
  input  wire [LANES-1:0]      pin_rx_n,
  output wire                  pin_tx_clock_p,
  output wire                  pin_tx_clock_n,
  output wire [LANES-1:0]      pin_tx_p,
  output wire [LANES-1:0]      pin_tx_n
);
endmodule
/* verilator lint_on UNDRIVEN */
/* verilator lint_on UNUSEDSIGNAL */

`default_nettype wire
