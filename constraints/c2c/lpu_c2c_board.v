// A link of four lanes with its transceivers: which port of lpu_c2c_link meets which of the PHY. `lpu gen --top c2c --config proto` writes the link.

`default_nettype none

module lpu_c2c_board (
  input  wire         clock,
  input  wire         reset,
  input  wire         in_reference_clock,
  input  wire         in_enable,
  input  wire         in_child,
  input  wire         in_prbs,
  input  wire         in_loopback,
  input  wire         in_clear,
  input  wire         in_send,
  input  wire [255:0] in_send_data,
  input  wire         in_receive,
  output wire [255:0] out_data,
  output wire         out_valid,
  input  wire         in_deskew,
  input  wire         in_runtime_deskew,
  input  wire [15:0]  in_wait,
  output wire         out_go,
  output wire [1:0]   out_state,
  output wire         out_fault,
  output wire [11:0]  out_hac,
  input  wire [3:0]   in_address,
  output wire [31:0]  out_status,
  input  wire [3:0]   pin_rx_p,
  input  wire [3:0]   pin_rx_n,
  output wire [3:0]   pin_tx_p,
  output wire [3:0]   pin_tx_n
);

  wire         recovered;
  wire         up;
  wire         loopback;
  wire [255:0] to_line;
  wire [255:0] from_line;

  lpu_c2c_link link (
    .clock(clock),
    .reset(reset),
    .in_enable(in_enable),
    .in_child(in_child),
    .in_prbs(in_prbs),
    .in_loopback(in_loopback),
    .in_clear(in_clear),
    .in_send(in_send),
    .in_send_data(in_send_data),
    .in_receive(in_receive),
    .out_data(out_data),
    .out_valid(out_valid),
    .in_deskew(in_deskew),
    .in_runtime_deskew(in_runtime_deskew),
    .in_wait(in_wait),
    .out_go(out_go),
    .out_state(out_state),
    .out_fault(out_fault),
    .out_hac(out_hac),
    .in_address(in_address),
    .out_status(out_status),
    .out_phy_loopback(loopback),
    .out_phy_data(to_line),
    .in_phy_up(up),
    .in_phy_clock(recovered),
    .in_phy_data(from_line)
  );

  lpu_c2c_phy_transceiver #(
    .LANES(4)
  ) phy (
    .in_reference_clock(in_reference_clock),
    .clock(clock),
    .in_data(to_line),
    .in_loopback(loopback),
    .out_clock(recovered),
    .out_data(from_line),
    .out_up(up),
    .pin_rx_p(pin_rx_p),
    .pin_rx_n(pin_rx_n),
    .pin_tx_p(pin_tx_p),
    .pin_tx_n(pin_tx_n)
  );

endmodule

`default_nettype wire
