//! Products of rows of numbers with the quantised matrices of a file.
//!
//! Candle's are good for many rows at once: it keeps a second copy of a matrix in an order in which
//! it is read once for several of them. To write a token is one row through every matrix, and its
//! speed is that of reading the weights; there, June reads them as they are in the file, which is
//! less ([`row`]). Candle does not do it for Q8_0 on every processor; there, June does ([`many`]).

#[cfg(target_arch = "x86_64")]
mod avx2;
mod many;
mod row;
#[cfg(test)]
mod tests;

use candle_core::quantized::{QMatMul, QTensor};
use candle_core::{Device, Module, Result, Tensor};

use crate::ops::with_numbers;
use row::Kernel;

/// A matrix of a file, (rows, columns), and how a row of numbers is multiplied with it.
#[derive(Clone)]
pub(crate) struct Matrix {
    weights: QMatMul,
    kernel: Option<Kernel>,
}

impl Matrix {
    /// From a tensor of two dimensions.
    pub(crate) fn new(tensor: QTensor) -> Result<Matrix> {
        let kernel = Kernel::of(&tensor);
        Ok(Matrix { weights: QMatMul::from_qtensor(tensor)?, kernel })
    }

    /// The rows of these indices, as plain numbers.
    pub(crate) fn embedding(&self, indices: &Tensor) -> Result<Tensor> {
        self.weights.embedding(indices)
    }

    /// `x`, of shape (tokens, columns), times the matrix: (tokens, rows).
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let [product] = products([self], x)?;
        Ok(product)
    }
}

/// `x` times each of these matrices.
pub(crate) fn products<const N: usize>(matrices: [&Matrix; N], x: &Tensor) -> Result<[Tensor; N]> {
    let mut products: [Option<Tensor>; N] = [const { None }; N];
    if x.device().is_cpu() {
        let (tokens, columns) = x.dims2()?;
        let kernels = matrices.map(|matrix| match &matrix.weights {
            QMatMul::QTensor(tensor) => {
                let kernel = matrix.kernel.filter(|kernel| tokens == 1 || kernel.takes_many());
                kernel.map(|kernel| (kernel, tensor.as_ref()))
            }
            _ => None,
        });
        let numbers = match kernels.iter().any(Option::is_some) {
            true => with_numbers(&x.contiguous()?, |x| match tokens {
                1 => row::products(&kernels, x),
                _ => many::products(&kernels, x, columns),
            })?,
            false => Vec::new(),
        };
        for (product, numbers) in products.iter_mut().zip(numbers) {
            *product = match numbers {
                Some(numbers) => Some(Tensor::from_vec(numbers, (tokens, ()), &Device::Cpu)?),
                None => None,
            };
        }
    }
    let mut all = Vec::with_capacity(N);
    for (product, matrix) in products.into_iter().zip(matrices) {
        all.push(match product {
            Some(product) => product,
            None => matrix.weights.forward(x)?,
        });
    }
    <[Tensor; N]>::try_from(all).map_err(|_| candle_core::Error::Msg("as many products".into()))
}
