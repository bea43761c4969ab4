use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::header::{Experts, Format};

/// Qwen3-30B-A3B with eight bits a weight, by its own shapes.
fn flagship() -> Description {
    let (layers, hidden, heads, kv_heads, head_dim) = (48, 2048, 32, 4, 128);
    let (experts, used, width, vocabulary) = (128, 8, 768, 151_936);
    let attention = 2 * hidden * heads * head_dim + 2 * hidden * kv_heads * head_dim;
    let norms = 2 * hidden + 2 * head_dim;
    let in_experts = layers * experts * 3 * hidden * width;
    let layer = attention + norms + hidden * experts;
    let parameters = layers * layer + in_experts + 2 * vocabulary * hidden + hidden;
    Description {
        path: PathBuf::from("m"),
        format: Format::Safetensors,
        architecture: "Qwen3MoeForCausalLM".into(),
        parameters,
        experts: Some(Experts { count: experts, used, parameters: in_experts }),
        quantisation: "FP8".into(),
        weight_bytes: parameters,
        context: Some(262_144),
        layers,
        kv_heads,
        head_dim,
        kv_numbers: layers * kv_heads * 2 * head_dim,
        kv_type: None,
        read: 0,
    }
}

fn gpu(free: u64) -> Gpu {
    Gpu { name: "NVIDIA Test".into(), total: 80_000_000_000, free, bandwidth: None }
}

fn machine(gpus: Vec<Gpu>) -> Machine {
    Machine { gpus, driver: Driver::Version("580.1".into()), memory: 256_000_000_000 }
}

fn refused(model: &Description, context: u64, machine: &Machine) -> String {
    let decided = decide(model, context, KvType::Bf16, machine, &Limits::default());
    decided.unwrap_err().to_string()
}

#[test]
fn the_flagship_takes_what_it_is_known_to_take() {
    let model = flagship();
    assert_eq!(model.parameters, 30_532_122_624);
    let estimate = Estimate::new(&model, 131_072, KvType::Bf16);
    assert_eq!((estimate.kv_token, estimate.kv), (96 << 10, 12 << 30));
    assert_eq!(
        estimate.to_string(),
        "30.5 GB of weights, 12 GiB of KV cache (131,072 tokens of 96 KiB in bf16) and 2 GB of \
         overhead"
    );
    assert_eq!(Estimate::new(&model, 131_072, KvType::Fp8).kv, 6 << 30);
}

#[test]
fn a_gpu_with_room_is_taken() {
    let machine = machine(vec![gpu(24_000_000_000), gpu(70_000_000_000), gpu(60_000_000_000)]);
    let decided = decide(&flagship(), 131_072, KvType::Bf16, &machine, &Limits::default());
    assert!(matches!(decided, Ok(Placement::Gpu { index: 1, .. })), "{decided:?}");
}

#[test]
fn thirty_billion_parameters_do_not_run_on_a_processor() {
    let bare = Machine { driver: Driver::Absent, ..machine(Vec::new()) };
    let error = refused(&flagship(), 131_072, &bare);
    assert_eq!(
        error,
        "Qwen3MoeForCausalLM, 30.5 B parameters (3.4 B active), FP8, 30.5 GB, 48 layers, context \
         of 262,144 tokens cannot run here\n  needed: a GPU with 45.4 GB free, for 30.5 GB of \
         weights, 12 GiB of KV cache (131,072 tokens of 96 KiB in bf16) and 2 GB of overhead; \
         with more than 8 B parameters it may not run on the processor\n  found:  no NVIDIA \
         driver, and so no GPU; 256 GB of main memory\nhint: use a smaller model or one of fewer \
         bits, or serve it from a machine with a larger GPU (trtllm-serve or Triton) and name \
         that server in june.toml"
    );
    let broken = Machine { driver: Driver::Broken("no permission".into()), ..bare };
    assert!(refused(&flagship(), 1, &broken).contains("driver does not work: no permission"));
}

#[test]
fn a_context_that_fits_is_proposed() {
    let small = machine(vec![gpu(40_000_000_000)]);
    let error = refused(&flagship(), 131_072, &small);
    assert!(error.contains("found:  NVIDIA Test with 40 GB free of 80 GB;"), "{error}");
    assert!(error.contains("hint: ask for a context of at most 74,752 tokens"), "{error}");
    let fits = decide(&flagship(), 74_752, KvType::Bf16, &small, &Limits::default());
    assert!(matches!(fits, Ok(Placement::Gpu { index: 0, .. })), "{fits:?}");
    let error = refused(&flagship(), 300_000, &machine(vec![gpu(80_000_000_000)]));
    assert!(error.contains("a context of 300,000 tokens, and the model has 262,144"), "{error}");
}

#[test]
fn a_small_model_runs_on_the_processor_if_it_fits() {
    let model = Description {
        parameters: 600_000_000,
        weight_bytes: 1_200_000_000,
        experts: None,
        ..flagship()
    };
    let bare = machine(Vec::new());
    let decided = decide(&model, 4096, KvType::F32, &bare, &Limits::default());
    assert!(matches!(decided, Ok(Placement::Cpu { .. })), "{decided:?}");
    let error = refused(&model, 4096, &Machine { memory: 1_000_000_000, ..bare });
    assert!(error.contains("needed: 2.7 GB of memory"), "{error}");
}

proptest! {
    #[test]
    fn more_than_the_limit_never_runs_on_a_processor(
        parameters in 8_000_000_001_u64..,
        weights in any::<u64>(),
        numbers in any::<u64>(),
        context in any::<u64>(),
        frees in prop::collection::vec(any::<u64>(), 0..3),
        memory in any::<u64>(),
    ) {
        let model = Description {
            parameters, weight_bytes: weights, kv_numbers: numbers, context: None, ..flagship()
        };
        let machine = Machine { memory, ..machine(frees.into_iter().map(gpu).collect()) };
        match decide(&model, context, KvType::Bf16, &machine, &Limits::default()) {
            Ok(Placement::Gpu { index, estimate }) => {
                prop_assert!(estimate.total() <= machine.gpus[index].free);
            }
            Ok(Placement::Cpu { .. }) => prop_assert!(false, "on the processor"),
            Err(refused) => prop_assert!(refused.to_string().contains("\nhint: ")),
        }
    }
}
