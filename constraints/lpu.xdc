# Clock of the tile for Vivado: read it with lpu_tile as the top module. 100 MHz; change the period to aim higher.
create_clock -name clock -period 10.000 [get_ports clock]

# Ports come from and go to registers of the same clock; a fifth of the period each is left to the other side.
set_input_delay -clock clock -max 2.000 [get_ports {reset in_*}]
set_input_delay -clock clock -min 0.000 [get_ports {reset in_*}]
set_output_delay -clock clock -max 2.000 [get_ports out_*]
set_output_delay -clock clock -min 0.000 [get_ports out_*]
