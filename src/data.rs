//! Matrices and results: seeded ones, and `.npy` files.

use miette::Diagnostic;
use npyz::{DType, NpyFile, Order, WriterBuilder};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A row-major matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix<T> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Elements, row by row.
    pub elements: Vec<T>,
}

/// An array file that is refused.
#[derive(Debug, Error, Diagnostic)]
pub enum ArrayError {
    /// There is no such file, or it may not be read.
    #[error("cannot open {}: {reason}", .path.display())]
    #[diagnostic(code(lpu::npy::open), help("check the name"))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The file cannot be read as an array.
    #[error("cannot read {} as a NumPy array: {reason}", .path.display())]
    #[diagnostic(
        code(lpu::npy::read),
        help("write it with numpy.save; the file may be cut short")
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The elements are of another type.
    #[error("{} holds {found}, not {wanted}", .path.display())]
    #[diagnostic(
        code(lpu::npy::dtype),
        help("convert it: numpy.save(path, a.astype(numpy.{numpy}))")
    )]
    Type {
        /// The file.
        path: PathBuf,
        /// NumPy's name of the type.
        found: String,
        /// The types that are taken.
        wanted: &'static str,
        /// The one to convert to.
        numpy: &'static str,
    },
    /// A NaN or an infinity that is to be quantised.
    #[error("{} holds {value} in row {row}, column {column}", .path.display())]
    #[diagnostic(
        code(lpu::npy::finite),
        help("only finite numbers can be quantised: numpy.nan_to_num replaces others")
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The element.
        value: f32,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// Not two dimensions, or an empty one.
    #[error("{} has shape {shape:?}; a matrix has two dimensions of at least one", .path.display())]
    #[diagnostic(code(lpu::npy::shape), help("reshape it: a.reshape(rows, columns)"))]
    Shape {
        /// The file.
        path: PathBuf,
        /// The shape found.
        shape: Vec<u64>,
    },
}

/// What a `.npy` file may hold.
pub trait Item: npyz::Deserialize + Copy {
    /// NumPy's name of the type.
    const NAME: &'static str;
    /// NumPy's code of it, without the byte order.
    const CODE: &'static str;
}

macro_rules! items {
    ($($type:ty: $name:literal $code:literal),+) => {
        $(impl Item for $type {
            const NAME: &'static str = $name;
            const CODE: &'static str = $code;
        })+
    };
}

items!(i8: "int8" "i1", u8: "uint8" "u1", i32: "int32" "i4", f32: "float32" "f4");

impl Matrix<f32> {
    /// A matrix of numbers that are nearly normally distributed (the sum of four uniform ones) with a standard deviation of one; the same
    /// seed always gives the same matrix.
    pub fn seeded_reals(rows: usize, columns: usize, seed: u64, stream: u64) -> Self {
        let uniform = Matrix::seeded(rows, 8 * columns, seed, stream);
        // Four numbers of 16 bits have a standard deviation of 37837.
        let normal = |bytes: &[i8]| {
            let number =
                |pair: &[i8]| i32::from(i16::from_le_bytes([pair[0] as u8, pair[1] as u8]));
            bytes.chunks(2).map(number).sum::<i32>() as f32 / 37837.0
        };
        Self {
            rows,
            columns,
            elements: uniform.elements.chunks(8).map(normal).collect(),
        }
    }
}

impl Matrix<i8> {
    /// A matrix of uniformly distributed bytes; the same seed always gives the same matrix.
    pub fn seeded(rows: usize, columns: usize, seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        let mut bytes = vec![0; rows * columns];
        random.fill_bytes(&mut bytes);
        let elements = bytes.into_iter().map(|byte| byte as i8).collect();
        Self {
            rows,
            columns,
            elements,
        }
    }

    /// A matrix of bytes that are nearly normally distributed (the sum of four uniform numbers) with a standard deviation
    /// of 32; the same seed always gives the same matrix.
    pub fn seeded_normal(rows: usize, columns: usize, seed: u64, stream: u64) -> Self {
        let uniform = Self::seeded(rows, 4 * columns, seed, stream);
        // Four bytes have a standard deviation of 147.8; 111 / 512 of it is 32.04.
        let normal = |bytes: &[i8]| {
            let sum: i32 = bytes.iter().map(|&byte| i32::from(byte)).sum();
            (((sum + 2) * 111) >> 9).clamp(-128, 127) as i8
        };
        Self {
            rows,
            columns,
            elements: uniform.elements.chunks(4).map(normal).collect(),
        }
    }
}

impl<T: Item> Matrix<T> {
    /// Reads a matrix from a `.npy` file, in C or Fortran order.
    pub fn read(path: &Path) -> Result<Self, ArrayError> {
        Self::read_as(path, [T::CODE], T::NAME, T::NAME)
    }
}

impl Matrix<f32> {
    /// Reads a float32 matrix of finite numbers from a `.npy` file; `wanted` names all types that would have been taken.
    pub fn read_finite(path: &Path, wanted: &'static str) -> Result<Self, ArrayError> {
        let matrix = Self::read_as(path, ["f4"], wanted, "float32")?;
        match matrix.elements.iter().position(|value| !value.is_finite()) {
            None => Ok(matrix),
            Some(i) => Err(ArrayError::NotFinite {
                path: path.to_owned(),
                value: matrix.elements[i],
                row: i / matrix.columns,
                column: i % matrix.columns,
            }),
        }
    }
}

/// E4M3 patterns of a uint8 matrix, or the numbers of a float32 one.
pub enum Numbers {
    /// Patterns.
    Codes(Matrix<u8>),
    /// Numbers, all finite.
    Reals(Matrix<f32>),
}

impl Numbers {
    /// Reads a `.npy` file, in C or Fortran order.
    pub fn read(path: &Path) -> Result<Self, ArrayError> {
        const WANTED: &str = "uint8 (codes) or float32";
        match Matrix::<u8>::read_as(path, ["u1"], WANTED, "float32") {
            Ok(codes) => Ok(Self::Codes(codes)),
            Err(ArrayError::Type { .. }) => Ok(Self::Reals(Matrix::read_finite(path, WANTED)?)),
            Err(error) => Err(error),
        }
    }
}

impl<T: npyz::Deserialize + Copy> Matrix<T> {
    /// Reads a matrix of one of the types `dtypes` (NumPy's names without byte order).
    fn read_as<const N: usize>(
        path: &Path,
        dtypes: [&str; N],
        wanted: &'static str,
        numpy: &'static str,
    ) -> Result<Self, ArrayError> {
        let failed = |error: io::Error| ArrayError::Read {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let cut = |what: &str, error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => failed(io::Error::other(what)),
            _ => failed(error),
        };
        let opened = std::fs::File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = opened.map_err(|reason| ArrayError::Open {
            path: path.to_owned(),
            reason,
        })?;
        let array = NpyFile::new(io::BufReader::new(file))
            .map_err(|error| cut("it ends within its header", error))?;
        let dtype = array.dtype();
        match &dtype {
            DType::Plain(plain)
                if dtypes.contains(&plain.to_string().trim_start_matches(['|', '<', '=', '>'])) => {
            }
            other => {
                let found = other.descr().trim_matches('\'').to_owned();
                return Err(ArrayError::Type {
                    path: path.to_owned(),
                    found,
                    wanted,
                    numpy,
                });
            }
        }
        let shape = array.shape().to_vec();
        let &[rows, columns] = shape.as_slice() else {
            return Err(ArrayError::Shape {
                path: path.to_owned(),
                shape,
            });
        };
        // A header may promise anything; the file must be that long before memory is set aside.
        match rows.checked_mul(columns) {
            Some(0) => {
                return Err(ArrayError::Shape {
                    path: path.to_owned(),
                    shape,
                });
            }
            Some(count) if count.saturating_mul(std::mem::size_of::<T>() as u64) <= length => {}
            _ => {
                let message =
                    format!("a {rows} x {columns} matrix does not fit a file of {length} bytes");
                return Err(failed(io::Error::other(message)));
            }
        }
        let (rows, columns) = (rows as usize, columns as usize);
        let order = array.order();
        let short = format!("it ends before the last element of a {rows} x {columns} matrix");
        let elements: Vec<T> = array.into_vec().map_err(|error| cut(&short, error))?;
        let elements = match order {
            Order::C => elements,
            Order::Fortran => (0..rows * columns)
                .map(|i| elements[(i % columns) * rows + i / columns])
                .collect(),
        };
        Ok(Self {
            rows,
            columns,
            elements,
        })
    }
}

/// The result of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Elements along each dimension.
    pub shape: Vec<usize>,
    /// Elements, the last dimension fastest.
    pub elements: Elements,
}

/// Elements of an [`Array`].
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// int32.
    Int32(Vec<i32>),
    /// FP32.
    Fp32(Vec<f32>),
    /// int8.
    Int8(Vec<i8>),
    /// Codes of E4M3 or E2M1.
    Byte(Vec<u8>),
}

impl Array {
    /// The array as a `.npy` file, little endian.
    pub fn to_npy(&self) -> io::Result<Vec<u8>> {
        match &self.elements {
            Elements::Int32(elements) => self.write("<i4", elements),
            Elements::Fp32(elements) => self.write("<f4", elements),
            Elements::Int8(elements) => self.write("|i1", elements),
            Elements::Byte(elements) => self.write("|u1", elements),
        }
    }

    fn write<T: npyz::Serialize + Copy>(&self, dtype: &str, elements: &[T]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let shape: Vec<u64> = self.shape.iter().map(|&size| size as u64).collect();
        let mut writer = npyz::WriteOptions::new()
            .dtype(DType::new_scalar(dtype.parse().map_err(io::Error::other)?))
            .shape(&shape)
            .writer(&mut bytes)
            .begin_nd()?;
        writer.extend(elements.iter().copied())?;
        writer.finish()?;
        bytes.flush()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_streams_give_different_matrices() {
        let a = Matrix::seeded(3, 5, 1, 0);
        assert_eq!(a, Matrix::seeded(3, 5, 1, 0));
        assert_ne!(a, Matrix::seeded(3, 5, 2, 0));
        assert_ne!(a, Matrix::seeded(3, 5, 1, 1));
    }

    #[test]
    fn results_are_little_endian() {
        for (elements, last) in [
            (
                Elements::Int32(vec![1, -2]),
                [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff],
            ),
            (
                Elements::Fp32(vec![1.0, -2.0]),
                [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
            ),
        ] {
            let shape = vec![1, 2];
            let bytes = Array { shape, elements }.to_npy().unwrap();
            assert!(bytes.starts_with(b"\x93NUMPY"));
            assert!(bytes.ends_with(&last));
        }
    }
}
