//! Exports of tiny random models, from end to end.

mod heads;
mod quantised;

use std::{
    fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use adapt::{Learner, Learns, Lora, LoraConfig, NamedTensor};
use burn::tensor::{Device, Tensor, TensorData};
use expect_test::expect;
use model::{Bare, Decoder, FAMILIES};
use spec::{ModelId, TargetModules};
use text::Tokenizer;
use weights::Checkpoint;

use crate::{
    Card, ExportError, Exported, IfThere, Losses, Precision, Progress, Tuned, adapter, adapter::adapter_and,
    logits, merged, merged::merged_and,
};

/// A tiny base with an adapter whose `B` is not zero, and a folder to export into.
struct Bench {
    base: Checkpoint,
    learner: Learner,
    device: Device,
    tokenizer: Tokenizer,
    card: Card,
    root: tempfile::TempDir,
}

/// A tiny base of each family.
fn families() -> Vec<String> {
    testkit::tiny_of(&FAMILIES.iter().map(|family| family.model_type).collect::<Vec<_>>())
}

fn bench(family: &str, targets: TargetModules) -> Bench {
    let base = Checkpoint::open(&testkit::fixture(&format!("tiny/{family}"))).unwrap();
    let device = Device::flex();
    let decoder = Decoder::open(&base, &device).unwrap();
    let config = LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules: targets,
        modules_to_save: Vec::new(),
    };
    let learner = Learner::Lora(moved(&Lora::attach(&decoder, config, 7).unwrap()));
    let root = tempfile::tempdir().unwrap();
    Bench { base, learner, device, tokenizer: tokenizer(root.path()), card: card(), root }
}

/// The same as if it had learned something.
fn moved<L: Learns>(newborn: &L) -> L {
    let values = newborn.values().map(|value| {
        let [rows, columns] = value.dims();
        let wave: Vec<f32> = (0..rows * columns).map(|at| (at as f32 * 1.7).sin() * 0.05).collect();
        value.clone() + Tensor::from_data(TensorData::new(wave, [rows, columns]), &value.device())
    });
    newborn.with_values(values.collect())
}

fn tokenizer(root: &Path) -> Tokenizer {
    let folder = root.join("base");
    fs::create_dir(&folder).unwrap();
    let special = |id: u32, content: &str| {
        serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    let json = serde_json::json!({"version": "1.0", "added_tokens": [special(1, "<s>"), special(2, "</s>")],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "hello": 3}}});
    fs::write(folder.join("tokenizer.json"), json.to_string()).unwrap();
    fs::write(folder.join("tokenizer_config.json"), r#"{"bos_token": "<s>", "eos_token": "</s>"}"#).unwrap();
    Tokenizer::from_folder(&folder).unwrap()
}

fn card() -> Card {
    let mut plan = testkit::plan(|_| ());
    plan.model = ModelId("someone/tiny-llama".to_owned());
    Card {
        name: "Recipes, terse".to_owned(),
        data: "recipes.jsonl".to_owned(),
        base_license: Some("Apache-2.0".to_owned()),
        plan,
        losses: Losses {
            steps: 20,
            first_training: Some(3.25),
            last_training: Some(1.5),
            first_validation: Some(3.0),
            best_validation: None,
        },
        app_version: "0.1.0".to_owned(),
    }
}

impl Bench {
    fn tuned(&self) -> Tuned<'_> {
        let Self { base, learner, device, tokenizer, card, .. } = self;
        Tuned { base, learner, device, tokenizer, card }
    }

    fn target(&self) -> PathBuf {
        self.root.path().join("exports").join("tuned")
    }

    fn merged(&self, precision: Precision) -> Result<Exported, ExportError> {
        merged(self.tuned(), precision, &self.target(), IfThere::Refuse, &mut unwatched)
    }

    fn adapter(&self, if_there: IfThere) -> Exported {
        adapter(self.tuned(), &self.target(), if_there, &mut unwatched).unwrap()
    }

    fn decoder(&self, folder: &Path) -> Decoder {
        Decoder::open(&Checkpoint::open(folder).unwrap(), &self.device).unwrap()
    }

    fn nothing_was_left(&self) {
        let left = fs::read_dir(self.root.path().join("exports")).unwrap().count();
        assert_eq!(left, 0, "a failed export leaves neither a folder nor a half-made one");
    }
}

fn unwatched(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn flip_a_byte(path: &Path) -> io::Result<()> {
    let mut bytes = fs::read(path)?;
    let at = bytes.len() - 3;
    bytes[at] ^= 0x10;
    fs::write(path, bytes)
}

#[test]
fn an_adapter_is_named_and_shaped_as_peft_expects() {
    let bench = bench("llama_tied", TargetModules::Named(vec!["q_proj".to_owned(), "down_proj".to_owned()]));
    let exported = bench.adapter(IfThere::Refuse);
    assert_eq!(
        names(&exported.path),
        [
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json"
        ]
    );
    assert_eq!(exported.files, 5);
    let written = Checkpoint::open(&exported.path.join("adapter_model.safetensors")).unwrap();
    let listed: String =
        written.names().map(|name| format!("{name} {:?}\n", written.tensor(name).unwrap().shape)).collect();
    expect![[r#"
        base_model.model.model.layers.0.mlp.down_proj.lora_A.weight [4, 48]
        base_model.model.model.layers.0.mlp.down_proj.lora_B.weight [32, 4]
        base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight [4, 32]
        base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight [32, 4]
        base_model.model.model.layers.1.mlp.down_proj.lora_A.weight [4, 48]
        base_model.model.model.layers.1.mlp.down_proj.lora_B.weight [32, 4]
        base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight [4, 32]
        base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight [32, 4]
    "#]]
    .assert_eq(&listed);
    assert_eq!(written.metadata()["format"].as_text(), Some("pt"));
    let config = fs::read_to_string(exported.path.join("adapter_config.json")).unwrap();
    expect![[r#"
        {
          "peft_type": "LORA",
          "task_type": "CAUSAL_LM",
          "base_model_name_or_path": "someone/tiny-llama",
          "r": 4,
          "lora_alpha": 8.0,
          "lora_dropout": 0.0,
          "target_modules": [
            "down_proj",
            "q_proj"
          ],
          "bias": "none",
          "fan_in_fan_out": false,
          "inference_mode": true,
          "use_rslora": false,
          "use_dora": false,
          "modules_to_save": null
        }
    "#]]
    .assert_eq(&config);
}

#[test]
fn layers_whose_names_end_alike_are_told_apart_as_peft_expects() {
    let bench = bench("gpt2", TargetModules::Attention);
    let exported = bench.adapter(IfThere::Refuse);
    let config = fs::read(exported.path.join("adapter_config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["target_modules"], serde_json::json!(["attn.c_proj", "c_attn"]));
    assert_eq!(config["fan_in_fan_out"], true);
    let written = Checkpoint::open(&exported.path.join("adapter_model.safetensors")).unwrap();
    let b = written.tensor("base_model.model.transformer.h.0.attn.c_attn.lora_B.weight").unwrap();
    assert_eq!(b.shape, [96, 4]);
    assert_eq!(written.names().len(), 2 * 2 * 2, "A and B of two layers in each of two");
}

#[test]
fn an_adapter_read_back_says_what_the_one_in_the_app_says() {
    for family in families() {
        let bench = bench(&family, TargetModules::AllLinear);
        let exported = bench.adapter(IfThere::Refuse);
        assert_eq!(exported.agreement.max_difference, 0.0, "{family}: the same numbers in the same order");
        assert!(
            exported.moved > 0.1,
            "{family}: the adapter must change something for this to mean anything"
        );
    }
}

#[test]
fn a_merged_model_says_what_base_and_adapter_say() {
    for family in families() {
        let bench = bench(&family, TargetModules::AllLinear);
        let exported = bench.merged(Precision::F32).unwrap();
        assert!(exported.agreement.max_difference < 1e-4, "{family}: {:?}", exported.agreement);
        assert!(exported.moved > 0.1);
        // Once more by hand: not the fixed prompt, and not the export's own comparison.
        let ids = [5, 90, 17, 33, 2, 150];
        let base = Decoder::open(&bench.base, &bench.device).unwrap();
        let expected = logits(&base, &bench.learner, &ids).unwrap();
        let found = logits(&bench.decoder(&exported.path), &Bare, &ids).unwrap();
        assert!(expected.iter().zip(&found).all(|(e, f)| (e - f).abs() < 1e-4));
    }
}

#[test]
fn half_precision_is_the_merged_weight_rounded_once() {
    for (precision, bits) in [(Precision::Bf16, 8), (Precision::F16, 11)] {
        let bench = bench("llama3_rope_untied", TargetModules::Attention);
        let exported = bench.merged(precision).unwrap();
        assert!(exported.agreement.max_difference > 0.0, "rounding shows");
        let written = Checkpoint::open(&exported.path).unwrap();
        let path = "model.layers.1.self_attn.k_proj";
        let tensor =
            |checkpoint: &Checkpoint| checkpoint.tensor(&format!("{path}.weight")).unwrap().to_f32().unwrap();
        let Learner::Lora(lora) = &bench.learner else { panic!("an adapter") };
        let delta: Vec<f32> = lora.delta(path).unwrap().into_data().iter().collect();
        for ((base, delta), found) in tensor(&bench.base).iter().zip(delta).zip(tensor(&written)) {
            let exact = base + delta;
            assert!(
                (exact - found).abs() <= exact.abs() * 2f32.powi(-bits) + 2f32.powi(-25),
                "{exact} became {found}"
            );
        }
        let config: serde_json::Value =
            serde_json::from_slice(&fs::read(exported.path.join("config.json")).unwrap()).unwrap();
        assert_eq!(config["dtype"], if precision == Precision::Bf16 { "bfloat16" } else { "float16" });
    }
}

#[test]
fn a_merged_folder_holds_what_transformers_looks_for() {
    let bench = bench("llama_tied", TargetModules::AllLinear);
    let exported = bench.merged(Precision::Bf16).unwrap();
    assert_eq!(
        names(&exported.path),
        [
            "README.md",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json"
        ]
    );
    let generation = fs::read_to_string(exported.path.join("generation_config.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&generation).unwrap()["eos_token_id"], 2);
    let written = Checkpoint::open(&exported.path).unwrap();
    assert_eq!(written.names().collect::<Vec<_>>(), bench.base.names().collect::<Vec<_>>());
}

#[test]
fn a_large_model_is_shared_out_over_files_and_says_the_same() {
    let bench = bench("llama3_rope_untied", TargetModules::AllLinear);
    let target = bench.target();
    let exported =
        merged_and(bench.tuned(), Precision::F32, &target, IfThere::Refuse, &mut unwatched, 30_000, |_| {
            Ok(())
        })
        .unwrap();
    let shards = names(&target).into_iter().filter(|name| name.starts_with("model-")).count();
    assert!(shards > 2, "{:?}", names(&target));
    assert!(target.join(format!("model-00001-of-{shards:05}.safetensors")).exists());
    assert!(exported.agreement.max_difference < 1e-4);
}

#[test]
fn an_adapter_damaged_on_the_disk_is_thrown_away() {
    let bench = bench("llama_tied", TargetModules::AllLinear);
    let damage: [fn(&Path) -> io::Result<()>; 3] = [
        |folder| flip_a_byte(&folder.join("adapter_model.safetensors")),
        |folder| fs::File::options().write(true).open(folder.join("adapter_model.safetensors"))?.set_len(900),
        |folder| fs::write(folder.join("adapter_config.json"), "{}"),
    ];
    for damage in damage {
        adapter_and(bench.tuned(), &bench.target(), IfThere::Refuse, &mut unwatched, damage).unwrap_err();
        bench.nothing_was_left();
    }
    // An adapter that would answer otherwise although each of its numbers is right.
    let scale = |folder: &Path| {
        let path = folder.join("adapter_config.json");
        let config = fs::read_to_string(&path)?;
        fs::write(path, config.replace("\"lora_alpha\": 8.0", "\"lora_alpha\": 16.0"))
    };
    let failed =
        adapter_and(bench.tuned(), &bench.target(), IfThere::Refuse, &mut unwatched, scale).unwrap_err();
    assert!(matches!(failed, ExportError::Differs { .. }), "{failed}");
    bench.nothing_was_left();
}

#[test]
fn a_merged_model_damaged_on_the_disk_is_thrown_away_and_the_old_one_stays() {
    let bench = bench("llama_tied", TargetModules::AllLinear);
    bench.merged(Precision::F32).unwrap();
    let before = fs::read(bench.target().join("model.safetensors")).unwrap();
    for precision in [Precision::F32, Precision::Bf16] {
        let damage = |folder: &Path| flip_a_byte(&folder.join("model.safetensors"));
        let failed = merged_and(
            bench.tuned(),
            precision,
            &bench.target(),
            IfThere::Replace,
            &mut unwatched,
            u64::MAX,
            damage,
        )
        .unwrap_err();
        assert!(matches!(failed, ExportError::Damaged { .. }), "{failed}");
        assert_eq!(names(bench.target().parent().unwrap()), ["tuned"]);
        assert_eq!(fs::read(bench.target().join("model.safetensors")).unwrap(), before);
    }
}

#[test]
fn an_export_that_exists_is_refused_unless_it_may_be_replaced() {
    let bench = bench("llama_tied", TargetModules::AllLinear);
    bench.merged(Precision::F32).unwrap();
    let refused = bench.merged(Precision::F16).unwrap_err();
    assert!(matches!(refused, ExportError::Exists { .. }), "{refused}");
    bench.adapter(IfThere::Replace);
    assert!(!bench.target().join("model.safetensors").exists());
    assert!(bench.target().join("adapter_model.safetensors").exists());
}

#[test]
fn an_export_says_how_far_it_is_and_leaves_nothing_when_it_is_cancelled() {
    let bench = bench("llama_tied", TargetModules::AllLinear);
    let export = |is_merged: bool, watch: &mut crate::Watch<'_>| match is_merged {
        true => merged(bench.tuned(), Precision::Bf16, &bench.target(), IfThere::Refuse, watch),
        false => adapter(bench.tuned(), &bench.target(), IfThere::Refuse, watch),
    };
    for (is_merged, n) in [(true, bench.base.names().len()), (false, bench.learner.to_named().len())] {
        let mut told = Vec::new();
        let going = export(is_merged, &mut |progress| {
            told.push(progress);
            ControlFlow::Continue(())
        });
        fs::remove_dir_all(going.unwrap().path).unwrap();
        let total = n as u64;
        let writing = (1..=total).map(|done| Progress::Writing { done, total });
        let reading = (1..=total).map(|done| Progress::ReadingBack { done, total });
        assert_eq!(told, writing.chain(reading).collect::<Vec<_>>());
        for word in [1, n / 2, n, n + 1, 2 * n] {
            let mut heard = 0;
            let cancelled = export(is_merged, &mut |_| {
                heard += 1;
                if heard == word { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert!(matches!(cancelled, Err(ExportError::Cancelled)), "at {word}: {cancelled:?}");
            bench.nothing_was_left();
        }
    }
}

#[test]
fn a_weight_too_large_for_f16_is_named() {
    let mut bench = bench("llama_tied", TargetModules::AllLinear);
    let large = bench.learner.to_named().into_iter().map(|tensor| {
        match tensor.name.contains("0.mlp.up_proj.lora_B") {
            true => NamedTensor { values: vec![1e7; tensor.values.len()], ..tensor },
            false => tensor,
        }
    });
    let decoder = Decoder::open(&bench.base, &bench.device).unwrap();
    let Learner::Lora(lora) = &bench.learner else { panic!("an adapter") };
    bench.learner = Learner::Lora(Lora::restore(&decoder, lora.config().clone(), large).unwrap());
    let failed = bench.merged(Precision::F16).unwrap_err().to_string();
    assert!(
        failed.contains("model.layers.0.mlp.up_proj.weight holds") && failed.contains("choose bf16"),
        "{failed}"
    );
    bench.nothing_was_left();
}

#[test]
fn the_card_says_what_it_is_and_how_it_came_about() {
    let bench = bench("llama_tied", TargetModules::AllLinear);
    let exported = bench.adapter(IfThere::Refuse);
    expect![[r#"
        ---
        base_model: "someone/tiny-llama"
        license: "apache-2.0"
        library_name: peft
        pipeline_tag: text-generation
        tags: [lora, tunesmith]
        ---

        # Recipes, terse

        A LoRA adapter of 3712 parameters for `someone/tiny-llama`. It holds only what was learned and needs its base.

        ## How to load it

        ```python
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        folder = "."  # where this file is
        tokenizer = AutoTokenizer.from_pretrained(folder)
        base = AutoModelForCausalLM.from_pretrained("someone/tiny-llama")
        model = PeftModel.from_pretrained(base, folder)
        ```

        ## What it learned

        Data: recipes.jsonl (version `000000000000`).

        After 20 steps, loss in nats per taught token:

        | | at first | here |
        | --- | --- | --- |
        | training | 3.2500 | 1.5000 |
        | validation | 3.0000 | not measured |

        ## How it was trained

        With Tunesmith 0.1.0, on cpu.

        | setting | value |
        | --- | --- |
        | supervise | everything |
        | context_length | 64 |
        | packing | off |
        | group_by_length | off |
        | method | lora |
        | quantization | none |
        | mixed_precision | no |
        | rank | 8 |
        | alpha | 16 |
        | dropout | 0 |
        | target_modules | all-linear |
        | use_rslora | off |
        | learning_rate | 0.0002 |
        | schedule | constant |
        | warmup_ratio | 0 |
        | epochs | 1 |
        | max_steps | 20 |
        | batch_size | 2 |
        | gradient_accumulation | 1 |
        | weight_decay | 0 |
        | max_grad_norm | 0 |
        | optim | adamw |
        | gradient_checkpointing | none |
        | seed | 42 |
        | eval_interval | 5 |
        | eval_examples | 0 |
        | early_stopping_patience | 0 |
        | save_interval | 5 |
        | n_samples | 0 |

        ## The base

        `someone/tiny-llama`; SHA-256 of the weights it was trained on: `0000000000000000000000000000000000000000000000000000000000000000`.
        It is licensed under Apache-2.0, whose terms apply to what is built on it too.
    "#]].assert_eq(&fs::read_to_string(exported.path.join("README.md")).unwrap());
}

#[test]
fn a_local_base_is_named_without_its_path() {
    let mut bench = bench("llama_tied", TargetModules::AllLinear);
    bench.card.plan.model = ModelId("/home/someone/models/my-base".to_owned());
    let exported = bench.adapter(IfThere::Refuse);
    for file in ["README.md", "adapter_config.json"] {
        let text = fs::read_to_string(exported.path.join(file)).unwrap();
        assert!(text.contains("my-base") && !text.contains("/home/someone"), "{file}: {text}");
    }
}
