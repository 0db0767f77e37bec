# Clock of the tile behind AXI for Vivado: read it with lpu_axi as the top module. 100 MHz; change the period to aim higher. In a block
# design the clock and the ports belong to the design around it, and nothing of this is needed.
create_clock -name clock -period 10.000 [get_ports clock]

# Ports come from and go to registers of the same clock; a fifth of the period each is left to the other side.
set_input_delay -clock clock -max 2.000 [get_ports -filter {DIRECTION == IN && NAME != clock}]
set_input_delay -clock clock -min 0.000 [get_ports -filter {DIRECTION == IN && NAME != clock}]
set_output_delay -clock clock -max 2.000 [get_ports -filter {DIRECTION == OUT}]
set_output_delay -clock clock -min 0.000 [get_ports -filter {DIRECTION == OUT}]
