//! A program launched again and again with new operands, on RTL and on the golden machine.

mod pair;

use lpu::data::Matrix;
use lpu::tile::{ModelTile, RtlTile, Task, Tile};
use lpu_compiler::matmul::{self, Matmul, Vector};
use lpu_isa::{Config, Queue, QueueKind};
use lpu_verif::numeric;

const M: usize = 5;
const K: usize = 19;
const N: usize = 11;

struct Product {
    config: Config,
    matmul: Matmul,
}

impl Product {
    fn new() -> Self {
        let config = pair::preset("nano");
        let matmul = matmul::compile(&config, M, K, N).unwrap();
        Self { config, matmul }
    }

    fn task(&self) -> Task<'_> {
        Task {
            config: &self.config,
            program: &self.matmul.program,
            prediction: &self.matmul.schedule.prediction,
        }
    }

    fn operands(seed: u64) -> [Matrix<i8>; 2] {
        [Matrix::seeded(M, K, seed, 0), Matrix::seeded(K, N, seed, 1)]
    }

    fn image(&self, [a, b]: &[Matrix<i8>; 2]) -> Vec<Vector> {
        self.matmul.pack(&a.elements, &b.elements).unwrap()
    }

    /// A launch with new operands gives their product in the predicted time.
    fn check(&self, tile: &mut dyn Tile, seed: u64, base: u16) -> u64 {
        let operands = Self::operands(seed);
        let mut image = self.image(&operands);
        for vector in &mut image {
            vector.address += usize::from(base);
        }
        tile.write(&image).unwrap();
        let queues = Queue::all(&self.config).enumerate();
        let reads = queues.filter(|(_, queue)| queue.kind == QueueKind::MemRead);
        for (queue, _) in reads {
            tile.set_base(queue, base).unwrap();
        }
        let launch = tile.launch().unwrap();
        assert_eq!(
            launch.mismatches(&self.matmul.schedule.prediction),
            0,
            "{launch:?}"
        );
        assert_eq!(self.result(tile), product(&operands), "seed {seed}");
        launch.events_compared
    }

    fn result(&self, tile: &mut dyn Tile) -> Vec<i32> {
        let places: Vec<_> = self.matmul.layout.result_vectors().collect();
        let bytes = tile.read(&places).unwrap();
        let lanes = self.config.lanes;
        self.matmul.unpack(|slice, address| {
            let at = places.iter().position(|&place| place == (slice, address));
            &bytes[at.unwrap() * lanes..][..lanes]
        })
    }
}

fn product([a, b]: &[Matrix<i8>; 2]) -> Vec<i32> {
    let matrix = |m: &Matrix<i8>| {
        numeric::Matrix::from_fn(m.rows, m.columns, |r, c| m.elements[r * m.columns + c])
    };
    let c = numeric::matmul(&matrix(a), &matrix(b));
    (0..c.rows()).flat_map(|r| c.row(r).to_vec()).collect()
}

/// Every second launch reads its operands 100 vectors further on, by the base registers.
fn launches(product: &Product, tile: &mut dyn Tile) -> u64 {
    (0..5)
        .map(|seed| product.check(tile, seed, 100 * (seed % 2) as u16))
        .sum()
}

#[test]
fn launches_follow_each_other() {
    let product = Product::new();
    let mut model = ModelTile::new(product.task());
    launches(&product, &mut model);

    let compiled = pair::model(&product.config);
    let mut quick = RtlTile::new(product.task(), &compiled, false).unwrap();
    assert_eq!(launches(&product, &mut quick), 0, "nothing is watched");
    let mut watched = RtlTile::new(product.task(), &compiled, true).unwrap();
    let events = launches(&product, &mut watched);
    assert_eq!(events, model.events(), "every event is compared");
}

#[test]
fn differences_are_counted() {
    let mut product = Product::new();
    let compiled = pair::model(&product.config);
    let operands = Product::operands(7);

    // The golden machine beside does not know of a write past it.
    let mut tile = RtlTile::new(product.task(), &compiled, true).unwrap();
    let image = product.image(&operands);
    tile.write(&image).unwrap();
    let other: Vec<u8> = image[0].bytes.iter().map(|byte| byte ^ 1).collect();
    let place = (image[0].slice, image[0].address, other.as_slice());
    tile.rtl().write_sram([place]).unwrap();
    let launch = tile.launch().unwrap();
    let divergence = launch.divergence.as_ref().expect("a difference");
    assert!(divergence.cycle < product.matmul.schedule.prediction.busy_cycles);
    assert_eq!(launch.mismatches(&product.matmul.schedule.prediction), 1);

    // A wrong prediction.
    product.matmul.schedule.prediction.busy_cycles -= 1;
    let mut tile = RtlTile::new(product.task(), &compiled, false).unwrap();
    tile.write(&image).unwrap();
    let launch = tile.launch().unwrap();
    assert!(launch.ended);
    assert_eq!(launch.mismatches(&product.matmul.schedule.prediction), 1);

    // Wrong bits in an operand, which the machine corrects and counts.
    let mut tile = RtlTile::new(product.task(), &compiled, false).unwrap();
    tile.write(&image).unwrap();
    let stored = lpu_verif::Vector::encode(&image[0].bytes).with_flip(0, 3);
    let place = (image[0].slice, image[0].address, &stored);
    tile.rtl().store([place]).unwrap();
    let launch = tile.launch().unwrap();
    assert!(launch.unsound_units > 0);
    let predicted = launch.cycles;
    assert_eq!(
        predicted,
        product.matmul.schedule.prediction.busy_cycles + 1
    );
}
