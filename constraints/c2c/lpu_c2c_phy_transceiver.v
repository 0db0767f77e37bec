// PHY of transceivers as a black box: one serial transceiver for each lane, without the coding of any standard (raw mode), 64 bits wide.
//
// What has to stand behind it: transmitters whose word clock is `clock`, lowest bit first, in step with each other; receivers with clock recovery whose
// words come with one recovered clock (that of lane 0; the others go through the receivers' own phase buffers), at any bit position.

`default_nettype none

// Nothing is inside.
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off UNDRIVEN */
(* blackbox *)
module lpu_c2c_phy_transceiver #(
  parameter LANES = 4
) (
  // Reference of the PLLs.
  input  wire                  in_reference_clock,
  // Word clock of the transmitters.
  input  wire                  clock,
  input  wire [64*LANES-1:0]   in_data,
  // Return what is sent, at the near end.
  input  wire                  in_loopback,
  // Recovered word clock, and words with it.
  output wire                  out_clock,
  output wire [64*LANES-1:0]   out_data,
  // PLLs and clock recovery of all lanes are locked, and there is a signal. Asynchronous.
  output wire                  out_up,
  // The board.
  input  wire [LANES-1:0]      pin_rx_p,
  input  wire [LANES-1:0]      pin_rx_n,
  output wire [LANES-1:0]      pin_tx_p,
  output wire [LANES-1:0]      pin_tx_n
);
endmodule
/* verilator lint_on UNDRIVEN */
/* verilator lint_on UNUSEDSIGNAL */

`default_nettype wire
