# Clock of the tile behind AXI for flows that read SDC (OpenROAD, Quartus, Synplify): lpu_axi is the top module, times in ns. 100 MHz;
# change the period to aim higher. Every output comes from a register, or one gate behind it (ready); inputs go through a few gates.
create_clock -name clock -period 10.0 [get_ports clock]

set inputs [get_ports {
    reset s_axi*_awaddr s_axi*_awvalid s_axi*_wdata s_axi*_wstrb s_axi*_wvalid s_axi*_bready s_axi*_araddr s_axi*_arvalid s_axi*_rready
    s_axi_awid s_axi_awlen s_axi_awsize s_axi_awburst s_axi_wlast s_axi_arid s_axi_arlen s_axi_arsize s_axi_arburst}]
set outputs [get_ports {
    out_* s_axi*_awready s_axi*_wready s_axi*_bresp s_axi*_bvalid s_axi*_arready s_axi*_rdata s_axi*_rresp s_axi*_rvalid
    s_axi_bid s_axi_rid s_axi_rlast}]

# Ports come from and go to registers of the same clock; a fifth of the period each is left to the other side.
set_input_delay -max 2.0 -clock clock $inputs
set_input_delay -min 0.0 -clock clock $inputs
set_output_delay -max 2.0 -clock clock $outputs
set_output_delay -min 0.0 -clock clock $outputs
