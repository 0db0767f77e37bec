# Clocks of the chip-to-chip link for flows that read SDC (OpenROAD, Quartus, Synplify): lpu_c2c_link is the top module, times in
# ns. 100 MHz both; change the periods, and with them the bounds at the end, to aim higher.
create_clock -name clock -period 10.0 [get_ports clock]
create_clock -name in_phy_clock -period 10.0 [get_ports in_phy_clock]

# Ports come from and go to registers of the clock they belong to; a fifth of the period each is left to the other side.
set inputs [get_ports {
    reset in_enable in_child in_prbs in_loopback in_clear in_send in_send_data* in_receive in_deskew in_runtime_deskew in_wait* in_address*}]
set_input_delay -max 2.0 -clock clock $inputs
set_input_delay -min 0.0 -clock clock $inputs
set_input_delay -max 2.0 -clock in_phy_clock [get_ports in_phy_data*]
set_input_delay -min 0.0 -clock in_phy_clock [get_ports in_phy_data*]
set_output_delay -max 2.0 -clock clock [get_ports out_*]
set_output_delay -min 0.0 -clock clock [get_ports out_*]
set_false_path -from [get_ports in_phy_up]

# Crossings: see lpu_c2c.xdc. None takes longer than a period of the faster clock; hold means nothing between clocks without a relation.
set_max_delay 10.0 -from [get_clocks clock] -to [get_clocks in_phy_clock]
set_max_delay 10.0 -from [get_clocks in_phy_clock] -to [get_clocks clock]
set_false_path -hold -from [get_clocks clock] -to [get_clocks in_phy_clock]
set_false_path -hold -from [get_clocks in_phy_clock] -to [get_clocks clock]
