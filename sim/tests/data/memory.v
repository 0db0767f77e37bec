// A memory with one write and one read port, two of them behind one interface.
module memory(
    input         clock,
    input         write_valid,
    input  [3:0]  write_address,
    input  [99:0] write_data,
    input  [3:0]  read_address,
    output [99:0] read_data,
    output [99:0] read_mirrored
);
    memory_bank low(clock, write_valid & ~write_address[3], write_address, write_data, read_address, read_data);
    memory_bank high(clock, write_valid & write_address[3], write_address, write_data, read_address, read_mirrored);
endmodule

module memory_bank(
    input             clock,
    input             write_valid,
    input      [3:0]  write_address,
    input      [99:0] write_data,
    input      [3:0]  read_address,
    output reg [99:0] read_data
);
    reg [99:0] words[0:15];
    reg        written;
    reg [1:0]  recent;
    always @(posedge clock) begin
        if (write_valid) words[write_address] <= write_data;
        read_data <= words[read_address];
        written <= write_valid;
        recent <= {recent[0], write_valid};
    end
endmodule
