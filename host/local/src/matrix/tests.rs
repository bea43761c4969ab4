use std::borrow::Cow;

use candle_core::quantized::{GgmlDType, QStorage};

use super::row::{Input, Kind, NARROW};
use super::*;

/// Weights of random bits, with scales that are finite halves.
fn random(dtype: GgmlDType, rows: usize, columns: usize, seed: u64) -> QTensor {
    let mut random = fastrand::Rng::with_seed(seed);
    let size = dtype.type_size();
    let mut bytes = vec![0; rows * columns / dtype.block_size() * size];
    random.fill(&mut bytes);
    for block in bytes.chunks_exact_mut(size) {
        // Also negative ones, and ones that are too small to be normal.
        let halves = if dtype == GgmlDType::Q4K { 2 } else { 1 };
        for half in block[..2 * halves].chunks_exact_mut(2) {
            half[1] = half[1] & 0x80 | [0x00, 0x05, 0x0C][random.usize(..3)];
        }
    }
    let storage = QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype).unwrap();
    QTensor::new(storage, (rows, columns)).unwrap()
}

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| random.f32() * 4.0 - 2.0).collect()
}

/// What an input stands for.
fn meant(input: &Input, width: usize) -> Vec<f64> {
    let scales = input.scales.iter().flat_map(|scale| vec![f64::from(*scale); width]);
    input.quants.as_flattened().iter().zip(scales).map(|(q, s)| f64::from(*q) * s).collect()
}

#[test]
fn a_row_is_rounded_to_eight_bits() {
    let mut numbers = numbers(512, 1);
    numbers[..256].fill(0.0);
    for (kind, width) in [(Kind::Q4K, 256), (Kind::Q8_0, NARROW)] {
        let input = Input::new(&numbers, kind);
        for (index, (meant, x)) in meant(&input, width).iter().zip(&numbers).enumerate() {
            let half = f64::from(input.scales[index / width]) / 2.0;
            assert!((meant - f64::from(*x)).abs() <= half * 1.001, "{index}");
        }
        for (quants, sum) in input.quants.iter().zip(&input.sums) {
            let added: i32 = quants.iter().map(|quant| i32::from(*quant)).sum();
            assert_eq!(added, i32::from(*sum));
        }
    }
}

#[test]
fn a_product_is_that_of_the_weights_as_numbers() {
    for (dtype, kind, width) in
        [(GgmlDType::Q4K, Kind::Q4K, 256), (GgmlDType::Q8_0, Kind::Q8_0, NARROW)]
    {
        for (rows, columns) in [(1, 256), (7, 512), (100, 768), (1030, 256)] {
            let tensor = random(dtype, rows, columns, rows as u64);
            let kernel = Kernel::of(&tensor);
            assert_eq!(kernel.is_some(), cfg!(target_arch = "x86_64"));
            let Some(kernel) = kernel else { continue };
            let plain: Vec<f32> =
                tensor.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            for tokens in [1, 2, 5, 43] {
                let x = numbers(tokens * columns, columns as u64);
                let matrices = [Some((kernel, &tensor))];
                let got = match tokens {
                    1 => row::products(&matrices, &x),
                    _ => many::products(&matrices, &x, columns),
                };
                let Some(got) = got.unwrap().remove(0) else {
                    assert!(tokens > 1 && kind == Kind::Q4K);
                    continue;
                };
                assert_eq!(got.len(), tokens * rows);
                for (got, x) in got.chunks(rows).zip(x.chunks(columns)) {
                    let input = meant(&Input::new(x, kind), width);
                    for (got, row) in got.iter().zip(plain.chunks_exact(columns)) {
                        let products = row.iter().zip(&input).map(|(w, x)| f64::from(*w) * x);
                        let size: f64 = products.clone().map(f64::abs).sum();
                        let want: f64 = products.sum();
                        assert!((f64::from(*got) - want).abs() <= size * 1e-6, "{got}, not {want}");
                    }
                }
            }
        }
    }
}

#[test]
fn matrices_of_any_kinds_share_a_row() {
    let x = Tensor::from_vec(numbers(256, 3), (1, 256), &Device::Cpu).unwrap();
    let kinds = [GgmlDType::Q4K, GgmlDType::Q8_0, GgmlDType::Q6K, GgmlDType::Q4K];
    let matrices = kinds.map(|kind| {
        let plain = Tensor::from_vec(numbers(40 * 256, 4), (40, 256), &Device::Cpu).unwrap();
        Matrix::new(QTensor::quantize(&plain, kind).unwrap()).unwrap()
    });
    let together = products(matrices.each_ref(), &x).unwrap();
    for (matrix, product) in matrices.iter().zip(together) {
        let product: Vec<Vec<f32>> = product.to_vec2().unwrap();
        assert_eq!(product, matrix.forward(&x).unwrap().to_vec2::<f32>().unwrap());
        // Close to what candle makes of it.
        let candle: Vec<Vec<f32>> = matrix.weights.forward(&x).unwrap().to_vec2().unwrap();
        for (ours, theirs) in product[0].iter().zip(&candle[0]) {
            assert!((ours - theirs).abs() < 1.0, "{ours}, not {theirs}");
        }
    }
}
