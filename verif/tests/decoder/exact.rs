//! `docs/decoder.md` in double precision, from the formulas of the Llama papers rather than from its steps.

use lpu_verif::kernels::decoder::{Linear, Parameters, Stage};

fn number(bits: u32) -> f64 {
    f32::from_bits(bits).into()
}

/// W x, with the factors in W.
fn apply(linear: &Linear, x: &[f64]) -> Vec<f64> {
    (0..linear.codes.rows())
        .map(|r| {
            let row = linear.codes.row(r).iter();
            let sum: f64 = row.zip(x).map(|(&w, x)| f64::from(w) * x).sum();
            sum * number(linear.factors[r])
        })
        .collect()
}

fn root_mean_square(x: &[f64], epsilon: f64) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + epsilon).sqrt()
}

fn norm(parameters: &Parameters, x: &[f64]) -> Vec<f64> {
    let root = root_mean_square(x, number(parameters.epsilon));
    x.iter().map(|x| x / root).collect()
}

/// Codes of a norm and what one of them is worth.
fn codes(parameters: &Parameters, x: &[f64]) -> (Vec<f64>, f64) {
    let step = x.iter().fold(0f64, |a, x| a.max(x.abs())) / 127.0;
    let root = root_mean_square(x, number(parameters.epsilon));
    (x.iter().map(|x| x / step).collect(), step / root)
}

fn rotate(parameters: &Parameters, position: usize, heads: &[f64]) -> Vec<f64> {
    let half = parameters.frequencies.len();
    let mut rotated = heads.to_vec();
    for head in rotated.chunks_exact_mut(2 * half) {
        for i in 0..half {
            let (sine, cosine) = (position as f64 * parameters.frequencies[i]).sin_cos();
            let (a, b) = (head[i], head[i + half]);
            head[i] = a * cosine - b * sine;
            head[i + half] = b * cosine + a * sine;
        }
    }
    rotated
}

/// Keys and values of one layer each: [layer][position], (G D).
#[derive(Clone, Default)]
pub struct Cache {
    keys: Vec<Vec<Vec<f64>>>,
    values: Vec<Vec<Vec<f64>>>,
}

impl Cache {
    fn push(&mut self, layer: usize, keys: Vec<f64>, values: Vec<f64>) {
        if self.keys.len() == layer {
            self.keys.push(Vec::new());
            self.values.push(Vec::new());
        }
        self.keys[layer].push(keys);
        self.values[layer].push(values);
    }

    fn attend(&self, parameters: &Parameters, layer: usize, queries: &[f64]) -> Vec<f64> {
        let shape = &parameters.shape;
        let dim = shape.head_dim;
        let c = number(parameters.layers[layer].score);
        let mut result = Vec::new();
        for (head, query) in queries.chunks_exact(dim).enumerate() {
            let at = head / (shape.heads / shape.kv_heads) * dim;
            let scores: Vec<f64> = self.keys[layer]
                .iter()
                .map(|keys| {
                    c * keys[at..]
                        .iter()
                        .zip(query)
                        .map(|(k, q)| k * q)
                        .sum::<f64>()
                })
                .collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - largest).exp2()).collect();
            let sum: f64 = weights.iter().sum();
            result.extend((0..dim).map(|d| {
                let values = self.values[layer].iter().zip(&weights);
                values.map(|(values, w)| w * values[at + d]).sum::<f64>() / sum
            }));
        }
        result
    }
}

fn silu(g: f64) -> f64 {
    g / (1.0 + (-g).exp())
}

/// Saturates as int8 does.
fn ends(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|x| x.clamp(-128.0, 127.0)).collect()
}

/// Checks the stages of a layer, each from those before it as they were found. Returns how many codes were checked.
pub fn layer<'a>(
    parameters: &Parameters,
    number: usize,
    position: usize,
    cache: &mut Cache,
    x: &[f64],
    stage: &dyn Fn(Stage) -> &'a Vec<f64>,
) -> Result<usize, String> {
    let weights = &parameters.layers[number];
    let mut count = 0;
    // Values below 127 carry the errors of FP32 and of three function results; softmax weights have 16 bits.
    let mut near = |what: Stage, exact: &[f64]| {
        for (i, (&found, &exact)) in stage(what).iter().zip(exact).enumerate() {
            count += 1;
            let exact = exact.clamp(-128.0, 127.0);
            let slack = if what == Stage::Attended { 0.02 } else { 1e-3 };
            if (found - exact).abs() > 0.5 + slack {
                return Err(format!("{what:?}[{i}] is {found}, exactly {exact}"));
            }
        }
        Ok(())
    };
    let close = |what: Stage, exact: &[f64]| {
        for (i, (&found, &exact)) in stage(what).iter().zip(exact).enumerate() {
            if (found - exact).abs() > 2e-6 * exact.abs().max(1.0) {
                return Err(format!("{what:?}[{i}] is {found}, exactly {exact}"));
            }
        }
        Ok(())
    };
    let scaled = |linear: &Linear, step: f64, what: Stage| -> Vec<f64> {
        let y = apply(linear, stage(what));
        y.iter().map(|y| y * step).collect()
    };
    let added = |linear: &Linear, x: &[f64], what: Stage| -> Vec<f64> {
        let y = apply(linear, stage(what));
        y.iter().zip(x).map(|(y, x)| y + x).collect()
    };

    let (exact, step) = codes(parameters, x);
    near(Stage::Normed, &exact)?;
    let queries = scaled(&weights.query, step, Stage::Normed);
    let keys = scaled(&weights.key, step, Stage::Normed);
    near(Stage::Query, &rotate(parameters, position, &queries))?;
    near(Stage::Key, &rotate(parameters, position, &keys))?;
    near(Stage::Value, &scaled(&weights.value, step, Stage::Normed))?;
    cache.push(
        number,
        stage(Stage::Key).clone(),
        stage(Stage::Value).clone(),
    );
    let attended = cache.attend(parameters, number, stage(Stage::Query));
    near(Stage::Attended, &attended)?;
    close(Stage::Middle, &added(&weights.output, x, Stage::Attended))?;

    let middle = stage(Stage::Middle);
    let (exact, step) = codes(parameters, middle);
    near(Stage::NormedMiddle, &exact)?;
    let gate = scaled(&weights.gate, step, Stage::NormedMiddle);
    let up = scaled(&weights.up, step, Stage::NormedMiddle);
    let hidden: Vec<f64> = gate.iter().zip(&up).map(|(g, u)| silu(*g) * u).collect();
    near(Stage::Hidden, &hidden)?;
    close(Stage::Out, &added(&weights.down, middle, Stage::Hidden))?;
    Ok(count)
}

/// Logits of a row of x.
pub fn head(parameters: &Parameters, head: &Linear, x: &[f64]) -> Vec<f64> {
    let (exact, step) = codes(parameters, x);
    let codes: Vec<f64> = exact.iter().map(|x| x.round_ties_even()).collect();
    apply(head, &codes).iter().map(|y| y * step).collect()
}

/// The decoder with saturation but without rounding.
pub struct Unrounded<'a> {
    parameters: &'a Parameters,
    cache: Cache,
}

impl<'a> Unrounded<'a> {
    pub fn new(parameters: &'a Parameters) -> Self {
        Self {
            parameters,
            cache: Cache::default(),
        }
    }

    /// x behind the last layer, and the logits.
    pub fn step(&mut self, row: &[f64], position: usize) -> (Vec<f64>, Vec<f64>) {
        let parameters = self.parameters;
        let mut x = row.to_vec();
        let add = |x: &mut Vec<f64>, y: Vec<f64>| x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
        for (number, layer) in parameters.layers.iter().enumerate() {
            let n = norm(parameters, &x);
            let queries = ends(rotate(parameters, position, &apply(&layer.query, &n)));
            let keys = ends(rotate(parameters, position, &apply(&layer.key, &n)));
            self.cache.push(number, keys, ends(apply(&layer.value, &n)));
            let attended = self.cache.attend(parameters, number, &queries);
            add(&mut x, apply(&layer.output, &attended));
            let n = norm(parameters, &x);
            let gate = apply(&layer.gate, &n);
            let up = apply(&layer.up, &n);
            let hidden: Vec<f64> = gate.iter().zip(&up).map(|(g, u)| silu(*g) * u).collect();
            add(&mut x, apply(&layer.down, &ends(hidden)));
        }
        let head = parameters.head.as_ref().expect("a head");
        let logits = apply(head, &norm(parameters, &x));
        (x, logits)
    }
}
