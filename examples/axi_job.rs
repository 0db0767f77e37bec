//! A matrix product as a job for `lpu_axi`, one JSON object: what to write into the window, and where the result will be.
//!
//!     cargo run -p lpu --example axi_job -- CONFIG A.npy B.npy
//!
//! | field | what |
//! |---|---|
//! | `writes` | list of `{address, data}`: byte address in the window, consecutive 64-bit words in hexadecimal digits |
//! | `results` | byte addresses in the window of the vectors that hold the result |
//! | `elements` | for each element of the result, row by row, where its four bytes are (lowest first), counted in bytes over `results` |
//! | `cycles` | what CYCLE reads when the launch has ended |
//! | `lanes` | bytes of a vector |

use lpu::data::Matrix;
use lpu_compiler::matmul;
use lpu_isa::memory_map as map;
use lpu_isa::registers::window_address;
use miette::{IntoDiagnostic, miette};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

fn main() -> miette::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, a, b] = arguments.as_slice() else {
        return Err(miette!("usage: axi_job CONFIG A.npy B.npy"));
    };
    let config = lpu::files::config(config)?;
    let (a, b) = (Matrix::read(Path::new(a))?, Matrix::read(Path::new(b))?);
    if a.columns != b.rows {
        return Err(miette!("A has {} columns and B {} rows", a.columns, b.rows));
    }
    let product = matmul::compile(&config, a.rows, a.columns, b.columns).into_diagnostic()?;
    let image = product.pack(&a.elements, &b.elements).into_diagnostic()?;

    let mut words = BTreeMap::new();
    let mut put = |(word, data)| {
        let address = window_address(word).expect("memories are in the window");
        words.insert(address, data);
    };
    for vector in &image {
        map::vector_words(&config, vector.slice, vector.address, &vector.bytes).for_each(&mut put);
    }
    map::program_words(&config, &product.program).for_each(&mut put);
    let mut writes: Vec<(u32, Vec<String>)> = Vec::new();
    for (address, data) in words {
        match writes.last_mut() {
            Some((first, run)) if *first + 8 * run.len() as u32 == address => {
                run.push(format!("{data:x}"));
            }
            _ => writes.push((address, vec![format!("{data:x}")])),
        }
    }

    let vectors: Vec<_> = product.layout.result_vectors().collect();
    let places: BTreeMap<_, _> = vectors.iter().enumerate().map(|(i, v)| (*v, i)).collect();
    // A result whose bytes are digit d of their own number names, in each of its bytes, where that byte comes from.
    let digits: Vec<Vec<i32>> = (0..3)
        .map(|digit| {
            let bytes: Vec<u8> = (0..vectors.len() * config.lanes)
                .map(|place| (place >> (8 * digit)) as u8)
                .collect();
            product.unpack(|slice, address| {
                let at = config.lanes * places[&(slice, address)];
                &bytes[at..at + config.lanes]
            })
        })
        .collect();
    let elements: Vec<[u32; 4]> = (0..a.rows * b.columns)
        .map(|i| {
            let byte = |b: usize| {
                let digit = |d: usize| u32::from(digits[d][i].to_le_bytes()[b]) << (8 * d);
                digit(0) | digit(1) | digit(2)
            };
            [byte(0), byte(1), byte(2), byte(3)]
        })
        .collect();

    let address = |(slice, vector): &(usize, usize)| {
        window_address(map::sram(&config, *slice, *vector, 0)).expect("SRAM is in the window")
    };
    let writes: Vec<_> = writes
        .iter()
        .map(|(address, data)| json!({"address": address, "data": data}))
        .collect();
    println!(
        "{}",
        json!({
            "config": config.name,
            "lanes": config.lanes,
            "writes": writes,
            "results": vectors.iter().map(address).collect::<Vec<_>>(),
            "elements": elements,
            "cycles": product.schedule.prediction.busy_cycles,
        })
    );
    Ok(())
}
