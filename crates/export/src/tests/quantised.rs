//! Exports of what was learned beside a quantised base.

use spec::Quantization;

use super::*;

/// The same bench, whose base was kept as `how` says.
fn kept_as(how: Quantization, base: &str) -> Bench {
    let mut bench = bench("llama_tied", TargetModules::AllLinear);
    bench.base = Checkpoint::open(&testkit::fixture(base)).unwrap();
    bench.card.plan.knobs.quantization.value = how;
    bench
}

const KEPT: [(Quantization, &str); 3] = [
    (Quantization::Nf4, "tiny/llama_tied"),
    (Quantization::Q8_0, "tiny/llama_tied"),
    (Quantization::Stored, "gguf/llama_q4_1.gguf"),
];

#[test]
fn what_was_learned_is_merged_into_the_numbers_it_was_learned_beside() {
    for (how, base) in KEPT {
        let bench = kept_as(how, base);
        let exported = bench.merged(Precision::F32).unwrap();
        assert!(exported.agreement.max_difference < 1e-4 && exported.moved > 0.1, "{how}: {exported:?}");
        let Learner::Lora(lora) = &bench.learner else { panic!("an adapter") };
        let learned_beside = Decoder::open_as(&bench.base, how, &bench.device).unwrap();
        let (exact, written) =
            (bench.decoder(&testkit::fixture("tiny/llama_tied")), bench.decoder(&exported.path));
        let numbers = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let mut off_exact = 0.0f32;
        for ((beside, exact), written) in learned_beside.linears().zip(exact.linears()).zip(written.linears())
        {
            let merged =
                |linear: &model::Linear| numbers(linear.weight(&Bare) + lora.delta(&linear.path).unwrap());
            assert_eq!(numbers(written.weight(&Bare)), merged(beside), "{how}: {}", beside.path);
            let far =
                merged(exact).into_iter().zip(numbers(written.weight(&Bare))).map(|(e, w)| (e - w).abs());
            off_exact = far.fold(off_exact, f32::max);
        }
        assert!(off_exact > 1e-4, "{how}: the blocks were no exact numbers, so that this means something");
    }
}

/// bfloat16 is how a run computes: what is exported is what was learned and the file's own numbers.
#[test]
fn what_was_learned_beside_bf16_is_merged_into_the_files_own_numbers() {
    let bench = kept_as(Quantization::Bf16, "tiny/llama_tied");
    let exported = bench.merged(Precision::F32).unwrap();
    assert!(exported.agreement.max_difference < 1e-4 && exported.moved > 0.1, "{exported:?}");
    let beside_f32 = kept_as(Quantization::None, "tiny/llama_tied");
    let plain = beside_f32.merged(Precision::F32).unwrap();
    let read = |path: &std::path::Path| fs::read(path.join("model.safetensors")).unwrap();
    assert!(read(&exported.path) == read(&plain.path), "as if it had been learned beside f32");
}

#[test]
fn an_adapter_beside_blocks_is_read_back_beside_them() {
    for (how, base) in KEPT.into_iter().chain([(Quantization::Bf16, "tiny/llama_tied")]) {
        let bench = kept_as(how, base);
        let exported = bench.adapter(IfThere::Refuse);
        assert_eq!(exported.agreement.max_difference, 0.0, "{how}");
        let config = fs::read_to_string(exported.path.join("adapter_config.json")).unwrap();
        assert!(config.contains("\"base_model_name_or_path\": \"someone/tiny-llama\""));
        let card = fs::read_to_string(exported.path.join("README.md")).unwrap();
        assert!(card.contains(&format!("| quantization | {how} |")), "{card}");
    }
}
