//! Compiles tensor operations into LPU programs and checks their schedule.
