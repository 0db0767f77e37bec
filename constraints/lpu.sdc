# Clock of the tile for flows that read SDC (OpenROAD, Quartus, Synplify): lpu_tile is the top module, times in ns. 100 MHz;
# change the period to aim higher.
create_clock -name clock -period 10.0 [get_ports clock]

# Ports come from and go to registers of the same clock; a fifth of the period each is left to the other side.
set_input_delay -max 2.0 -clock clock [get_ports {reset in_*}]
set_input_delay -min 0.0 -clock clock [get_ports {reset in_*}]
set_output_delay -max 2.0 -clock clock [get_ports {out_*}]
set_output_delay -min 0.0 -clock clock [get_ports {out_*}]
