# Clocks of the chip-to-chip link for Vivado: read it with lpu_c2c_link as the top module. 100 MHz both; change the periods, and with
# them the bounds at the end, to aim higher.
create_clock -name clock -period 10.000 [get_ports clock]
create_clock -name in_phy_clock -period 10.000 [get_ports in_phy_clock]

# Ports come from and go to registers of the clock they belong to; a fifth of the period each is left to the other side.
set phy_inputs [get_ports in_phy_data*]
set inputs [get_ports -filter {DIRECTION == IN && NAME !~ in_phy_* && NAME != clock}]
set_input_delay -clock clock -max 2.000 $inputs
set_input_delay -clock clock -min 0.000 $inputs
set_input_delay -clock in_phy_clock -max 2.000 $phy_inputs
set_input_delay -clock in_phy_clock -min 0.000 $phy_inputs
set_output_delay -clock clock -max 2.000 [get_ports -filter {DIRECTION == OUT}]
set_output_delay -clock clock -min 0.000 [get_ports -filter {DIRECTION == OUT}]
set_false_path -from [get_ports in_phy_up]

# Crossings. scripts/check_cdc.py says what they are: first flip-flops (meta_*), held data and the memory of the elastic buffer. None may
# take longer than a period of the faster clock; data is held, and pointers change by one bit, for longer. (No set_clock_groups: it
# would take these bounds away.)
set_max_delay -datapath_only -from [get_clocks clock] -to [get_clocks in_phy_clock] 10.000
set_max_delay -datapath_only -from [get_clocks in_phy_clock] -to [get_clocks clock] 10.000
# The bits of a pointer in Gray code arrive within a period of each other.
set_bus_skew -from [get_cells -hierarchical -filter {NAME =~ *tail_gray_reg*}] -to [get_cells -hierarchical -filter {NAME =~ *meta_tail_reg*}] 10.000
set_bus_skew -from [get_cells -hierarchical -filter {NAME =~ *head_gray_reg*}] -to [get_cells -hierarchical -filter {NAME =~ *meta_head_reg*}] 10.000
# Pairs of flip-flops side by side.
set_property ASYNC_REG TRUE [get_cells -hierarchical -filter {NAME =~ *meta_q_reg* || NAME =~ *settled_q_reg*}]
set_property ASYNC_REG TRUE [get_cells -hierarchical -filter {NAME =~ *meta_tail_reg* || NAME =~ *tail_seen_reg*}]
set_property ASYNC_REG TRUE [get_cells -hierarchical -filter {NAME =~ *meta_head_reg* || NAME =~ *head_seen_reg*}]
