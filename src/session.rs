//! An LPU that serves language models: load one, stream tokens, load another.
//!
//! ```
//! use lpu::session::{Lpu, LpuError};
//! use lpu_model::Model;
//! use lpu_model::sample::{Sampler, Settings};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), LpuError> {
//! let config = lpu_isa::Config::preset("proto").expect("there is such a preset");
//! let mut lpu = Lpu::golden(config);
//! lpu.load(Arc::new(Model::embedded()?), 64)?;
//! let mut sampler = Sampler::new(Settings::default())?;
//! for piece in lpu.stream("00000012+00000034=", &mut sampler, 4)? {
//!     let piece = piece?;
//!     println!("{:?} after {} cycles", piece.text, piece.cycles);
//! }
//! assert_eq!(lpu.log().mismatches(), 0);
//! # Ok(())
//! # }
//! ```

use crate::decode::{CompiledStep, Log, MachineEngine, Setup, SharedLog, StepProgram};
use crate::run::RunError;
use crate::tile::{ModelTile, Reload, RtlTile, Task};
use lpu_compiler::CompileError;
use lpu_isa::Config;
use lpu_isa::config::ConfigError;
use lpu_model::engine::{Engine, EngineError};
use lpu_model::generate::{Generation, Stop, Stream};
use lpu_model::int8::calibration::{calibrate, own_texts};
use lpu_model::int8::{ConvertError, convert};
use lpu_model::sample::{Sampler, SettingError};
use lpu_model::{Model, ModelError};
use lpu_sim::CompiledModel;
use miette::Diagnostic;
use std::cell::Ref;
use std::sync::Arc;
use thiserror::Error;

/// What an LPU could not do. After a failed [`Lpu::load`] the model before it is still there.
#[derive(Debug, Error, Diagnostic)]
pub enum LpuError {
    /// No model is loaded.
    #[error("no model is loaded")]
    #[diagnostic(code(lpu::session::empty), help("call Lpu::load first"))]
    Empty,
    /// The configuration is not legal.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The model cannot be read, or its tokenizer does not take a text.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(Box<ModelError>),
    /// The decoder layers do not cover the model.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Convert(#[from] ConvertError),
    /// The model does not fit the machine.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A step cannot be taken.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    /// The machine failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    /// The sampler's settings are not legal.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Settings(#[from] SettingError),
}

impl From<ModelError> for LpuError {
    fn from(error: ModelError) -> Self {
        Self::Model(Box::new(error))
    }
}

/// A piece of text as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The token.
    pub token: u32,
    /// The text that it completes; empty while a character lacks bytes.
    pub text: String,
    /// Cycles of the launch that gave it.
    pub cycles: u64,
    /// [`logits_hash`](crate::decode::logits_hash) of the logits that it was chosen from.
    pub logits: String,
}

/// Makes a tile with a program in its queues.
type Make = Box<dyn FnMut(Task<'_>) -> Result<Box<dyn Reload>, RunError>>;

/// A model on the tile.
struct Loaded {
    model: Arc<Model>,
    engine: MachineEngine<CompiledStep, Box<dyn Reload>>,
}

/// One LPU.
pub struct Lpu {
    config: Arc<Config>,
    make: Make,
    loaded: Option<Loaded>,
    log: SharedLog,
}

impl Lpu {
    /// The golden machine.
    pub fn golden(config: Config) -> Self {
        Self::with(config, |task| Ok(Box::new(ModelTile::new(task))))
    }

    /// RTL simulation, of a model of this configuration that [`rtl::build`](crate::rtl::build) made.
    pub fn rtl(config: Config, compiled: CompiledModel) -> Self {
        Self::with(config, move |task| {
            Ok(Box::new(RtlTile::new(task, &compiled, false)?))
        })
    }

    /// Any tile.
    pub fn with(
        config: Config,
        make: impl FnMut(Task<'_>) -> Result<Box<dyn Reload>, RunError> + 'static,
    ) -> Self {
        Self {
            config: Arc::new(config),
            make: Box::new(make),
            loaded: None,
            log: SharedLog::default(),
        }
    }

    /// Quantises, compiles and loads a model for `positions` positions, in the place of the one before: program and weights go through
    /// the host port, and the machine is not reset.
    pub fn load(&mut self, model: Arc<Model>, positions: usize) -> Result<(), LpuError> {
        let steps = calibrate(&model, &own_texts(&model)?)?;
        let int8 = Arc::new(convert(&model, &steps)?);
        let positions = positions.clamp(1, int8.context);
        let positions = positions.next_multiple_of(self.config.lanes);
        let step = CompiledStep::new(&self.config, int8.clone(), positions)?;
        let tile = match self.loaded.take() {
            None => (self.make)(Task {
                config: &self.config,
                program: step.program(),
                prediction: step.prediction(),
            })?,
            Some(before) => {
                let mut tile = before.engine.into_tile();
                tile.load(step.program(), step.prediction())?;
                tile
            }
        };
        let setup = Setup {
            config: self.config.clone(),
            model: model.clone(),
            int8,
            step,
            positions,
        };
        let engine = MachineEngine::new(setup, tile, self.log.clone())?;
        self.loaded = Some(Loaded { model, engine });
        Ok(())
    }

    /// What decodes, to step token by token, to go back, or to hand keys and values over.
    pub fn engine(&mut self) -> Result<&mut dyn Engine, LpuError> {
        let loaded = self.loaded.as_mut().ok_or(LpuError::Empty)?;
        Ok(&mut loaded.engine)
    }

    /// Forgets all positions and continues a text by at most `max_tokens` tokens.
    pub fn stream<'l>(
        &'l mut self,
        prompt: &str,
        sampler: &'l mut Sampler,
        max_tokens: usize,
    ) -> Result<TokenStream<'l>, LpuError> {
        let Loaded { model, engine } = self.loaded.as_mut().ok_or(LpuError::Empty)?;
        let prompt = model.encode(prompt)?;
        engine.rewind(0);
        Ok(TokenStream {
            generation: Generation::new(&prompt, &model.architecture.ends, max_tokens),
            text: Stream::after(&model.tokenizer, &prompt),
            engine,
            sampler,
            log: &self.log,
        })
    }

    /// Every step so far, with the logits and cycles that differ from the golden decoder.
    pub fn log(&self) -> Ref<'_, Log> {
        self.log.borrow()
    }
}

/// Tokens as they are chosen.
pub struct TokenStream<'l> {
    generation: Generation,
    text: Stream<'l>,
    engine: &'l mut dyn Engine,
    sampler: &'l mut Sampler,
    log: &'l SharedLog,
}

impl TokenStream<'_> {
    /// Why it has ended, if it has.
    pub const fn stop(&self) -> Option<Stop> {
        self.generation.stop()
    }

    fn piece(&mut self) -> Result<Option<Piece>, LpuError> {
        let Some(token) = self.generation.next(self.engine, self.sampler)? else {
            return Ok(None);
        };
        let log = self.log.borrow();
        let step = log.steps.last().expect("a token comes of a step");
        Ok(Some(Piece {
            token,
            text: self.text.push(token)?,
            cycles: step.cycles.unwrap_or(0),
            logits: step.logits.clone(),
        }))
    }
}

impl Iterator for TokenStream<'_> {
    type Item = Result<Piece, LpuError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.piece().transpose()
    }
}
