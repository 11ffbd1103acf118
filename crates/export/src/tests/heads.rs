//! Of models that answer with a head, and of those that were trained whole.

use adapt::Method;
use model::{Adapter, Base, HeadModel, Reads, Text, head_spec, labels_of};
use serde_json::{Value, json};
use spec::{Quantization, Task};

use super::*;

fn labels() -> Vec<String> {
    ["flu", "a cold", "nothing", "measles", "gout"].map(str::to_owned).to_vec()
}

fn tasks() -> [Task; 4] {
    let labels = labels();
    [
        Task::Classify { labels: labels.clone() },
        Task::ClassifySeveral { labels: labels.clone() },
        Task::Score,
        Task::Tag { labels },
    ]
}

fn lora() -> Method {
    Method::Lora(LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules: TargetModules::AllLinear,
        modules_to_save: Vec::new(),
    })
}

fn full() -> Method {
    Method::Full("!embeddings".parse().unwrap())
}

fn open(base: &Checkpoint, task: &Task, device: &Device) -> HeadModel {
    let spec = head_spec(task, &base.config_json().unwrap(), 42).unwrap();
    HeadModel::open(base, spec, device).unwrap()
}

/// A tiny encoder that learned `task`.
fn head_bench(tiny: &str, task: &Task, method: Method) -> Bench {
    let base = Checkpoint::open(&testkit::fixture(&format!("tiny/{tiny}"))).unwrap();
    let device = Device::flex();
    let model = open(&base, task, &device);
    let method = match method {
        Method::Lora(config) => {
            Method::Lora(LoraConfig { modules_to_save: model.modules_to_save(), ..config })
        }
        full => full,
    };
    let learner = moved(&Learner::attach(&model, &method, 7).unwrap());
    let root = tempfile::tempdir().unwrap();
    let mut card = card();
    card.plan.task.value = task.clone();
    Bench { base, learner, device, tokenizer: tokenizer(root.path()), card, root }
}

fn config(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap()).unwrap()
}

fn says(model: &HeadModel, adapter: &dyn Adapter) -> Vec<f32> {
    let text = Text { ids: &[5, 90, 17, 33, 2, 150], type_ids: None };
    model.logits(&[text], adapter).unwrap().into_data().iter::<f32>().collect()
}

#[test]
fn an_adapter_with_a_head_is_named_and_shaped_as_peft_expects() {
    let task = Task::Classify { labels: labels() };
    let bench = head_bench("bert", &task, lora());
    let exported = bench.adapter(IfThere::Refuse);
    assert!(names(&exported.path).contains(&"config.json".to_owned()), "its labels stand there");
    let peft = fs::read(exported.path.join("adapter_config.json")).unwrap();
    let peft: Value = serde_json::from_slice(&peft).unwrap();
    assert_eq!(peft["task_type"], "SEQ_CLS");
    assert_eq!(peft["modules_to_save"], json!(["classifier"]));
    let written = Checkpoint::open(&exported.path.join("adapter_model.safetensors")).unwrap();
    assert_eq!(written.tensor("base_model.model.classifier.weight").unwrap().shape, [5, 32]);
    assert_eq!(written.tensor("base_model.model.classifier.bias").unwrap().shape, [5]);
    assert_eq!(labels_of(&config(&exported.path)), Some(labels()));
    let card = fs::read_to_string(exported.path.join("README.md")).unwrap();
    assert!(card.contains("pipeline_tag: text-classification\n"), "{card}");
    assert!(card.contains("config=AutoConfig.from_pretrained(folder)"), "{card}");
}

#[test]
fn heads_read_back_say_what_those_in_the_app_say() {
    for tiny in ["bert", "roberta", "distilbert", "modernbert_cls"] {
        for task in tasks() {
            let bench = head_bench(tiny, &task, lora());
            let exported = bench.adapter(IfThere::Refuse);
            assert_eq!(exported.agreement.max_difference, 0.0, "{tiny} {task:?}");
            assert!(exported.moved > 0.01, "{tiny} {task:?}: {}", exported.moved);

            let exported = merged(
                bench.tuned(),
                Precision::F32,
                &bench.root.path().join("merged"),
                IfThere::Refuse,
                &mut unwatched,
            );
            let exported = exported.unwrap();
            assert!(exported.agreement.relative < 1e-4, "{tiny} {task:?}: {:?}", exported.agreement);
            assert!(!names(&exported.path).contains(&"generation_config.json".to_owned()));
            // Once more by hand, with the head that is in the file.
            let written = Checkpoint::open(&exported.path).unwrap();
            let model = open(&written, &task, &bench.device);
            assert!(model.born().is_empty(), "{tiny} {task:?}: the head that was written is the head");
            let expected = says(&open(&bench.base, &task, &bench.device), &bench.learner);
            let found = says(&model, &Bare);
            assert!(expected.iter().zip(&found).all(|(e, f)| (e - f).abs() < 1e-4), "{tiny} {task:?}");
        }
    }
}

/// The encoder stays in blocks, and the head that learns beside it is numbers.
#[test]
fn what_a_head_learned_over_blocks_is_merged_into_the_numbers_that_they_stand_for() {
    let task = &tasks()[0];
    for (tiny, how) in [("bert", Quantization::Nf4), ("modernbert_cls", Quantization::Q8_0)] {
        let mut bench = head_bench(tiny, task, lora());
        bench.card.plan.knobs.quantization.value = how;
        assert_eq!(bench.adapter(IfThere::Refuse).agreement.max_difference, 0.0, "{tiny}");
        let folder = bench.root.path().join("merged");
        let exported =
            merged(bench.tuned(), Precision::F32, &folder, IfThere::Refuse, &mut unwatched).unwrap();
        assert!(exported.agreement.relative < 1e-4, "{tiny}: {:?}", exported.agreement);
        let spec = head_spec(task, &bench.base.config_json().unwrap(), 42).unwrap();
        let kept = HeadModel::open_as(&bench.base, spec, how, &bench.device).unwrap();
        let beside = says(&kept, &bench.learner);
        let far =
            |others: Vec<f32>| beside.iter().zip(others).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let written = open(&Checkpoint::open(&exported.path).unwrap(), task, &bench.device);
        assert!(far(says(&written, &Bare)) < 1e-4, "{tiny}");
        let exact = far(says(&open(&bench.base, task, &bench.device), &bench.learner));
        assert!(exact > 1e-4, "{tiny}: the blocks are no exact numbers, so that this means something");
    }
}

#[test]
fn the_configuration_of_a_head_is_what_transformers_reads() {
    for (tiny, family) in [
        ("bert", "Bert"),
        ("roberta", "Roberta"),
        ("distilbert", "DistilBert"),
        ("modernbert_cls", "ModernBert"),
    ] {
        for task in tasks() {
            let bench = head_bench(tiny, &task, lora());
            let config = config(&bench.merged(Precision::F32).unwrap().path);
            let (kind, problem) = match task {
                Task::Classify { .. } => ("Sequence", json!("single_label_classification")),
                Task::ClassifySeveral { .. } => ("Sequence", json!("multi_label_classification")),
                Task::Score => ("Sequence", json!("regression")),
                _ => ("Token", Value::Null),
            };
            assert_eq!(config["architectures"], json!([format!("{family}For{kind}Classification")]));
            assert_eq!(config["problem_type"], problem);
            assert_eq!(config["dtype"], "float32");
            let n = if task == Task::Score { 1 } else { 5 };
            assert_eq!(config["id2label"].as_object().unwrap().len(), n);
            assert_eq!(config["label2id"].as_object().unwrap().len(), n);
            let before = bench.base.config_json().unwrap();
            for rope in ["rope_theta", "rope_parameters"] {
                assert_eq!(config[rope], before[rope], "{tiny}: an encoder's {rope} is its own");
            }
        }
    }
}

#[test]
fn what_was_trained_whole_is_exported_whole_and_has_no_adapter() {
    for (tiny, task) in
        ["bert", "modernbert_cls"].into_iter().flat_map(|tiny| tasks().map(|task| (tiny, task)))
    {
        let bench = head_bench(tiny, &task, full());
        let refused = adapter(bench.tuned(), &bench.target(), IfThere::Refuse, &mut unwatched);
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("Export the whole model instead"), "{said}");
        assert!(!bench.target().exists());

        let exported = bench.merged(Precision::F32).unwrap();
        assert_eq!(exported.agreement.max_difference, 0.0, "{tiny} {task:?}: the same numbers");
        assert!(exported.moved > 0.01);
        let card = fs::read_to_string(exported.path.join("README.md")).unwrap();
        assert!(card.contains("tags: [fine-tuned, tunesmith]"), "{card}");
    }
}

#[test]
fn heads_in_half_precision_stay_near() {
    for precision in [Precision::Bf16, Precision::F16] {
        let bench = head_bench("bert", &tasks()[0], full());
        let exported = bench.merged(precision).unwrap();
        assert!(exported.agreement.relative > 0.0);
        let spec = open(&Checkpoint::open(&exported.path).unwrap(), &tasks()[0], &bench.device).spec();
        assert_eq!((spec.reads, spec.num_labels), (Reads::Text, 5));
    }
}

#[test]
fn a_head_that_was_damaged_is_thrown_away() {
    let bench = head_bench("bert", &tasks()[0], lora());
    let failed = merged_and(
        bench.tuned(),
        Precision::F32,
        &bench.target(),
        IfThere::Refuse,
        &mut unwatched,
        crate::shards::LARGEST_FILE,
        |folder| {
            let path = folder.join("config.json");
            let config = fs::read_to_string(&path)?;
            fs::write(path, config.replace("measles", "mumps"))
        },
    );
    let said = failed.unwrap_err().to_string();
    assert!(said.contains("its head is missing"), "{said}");
    bench.nothing_was_left();
}

#[test]
fn decoders_with_a_head_are_exported_too() {
    for tiny in families() {
        let task = Task::Classify { labels: labels() };
        let adapted = head_bench(&tiny, &task, lora());
        let exported = adapted.adapter(IfThere::Refuse);
        assert_eq!(exported.agreement.max_difference, 0.0, "{tiny}");
        let written = Checkpoint::open(&exported.path.join("adapter_model.safetensors")).unwrap();
        let score = written.tensor("base_model.model.score.weight").unwrap();
        assert_eq!(score.shape[0], 5, "{tiny}");

        for method in [lora(), full()] {
            let tuned = head_bench(&tiny, &task, method);
            let exported = tuned.merged(Precision::F32).unwrap();
            assert!(exported.agreement.relative < 1e-4, "{tiny}: {:?}", exported.agreement);
            assert!(exported.moved > 0.01, "{tiny}");
            let written = Checkpoint::open(&exported.path).unwrap();
            assert!(written.tensor("lm_head.weight").is_none(), "{tiny}: it does not write");
            let class = config(&exported.path)["architectures"][0].as_str().unwrap().to_owned();
            assert!(class.ends_with("ForSequenceClassification"), "{tiny}: {class}");
            assert!(config(&exported.path)["pad_token_id"].is_u64(), "{tiny}");
        }
        let whole = bench(&tiny, TargetModules::AllLinear);
        let decoder = Decoder::open(&whole.base, &whole.device).unwrap();
        let learner = moved(&Learner::attach(&decoder, &full(), 7).unwrap());
        let whole = Bench { learner, ..whole };
        let exported = whole.merged(Precision::F32).unwrap();
        assert_eq!(exported.agreement.max_difference, 0.0, "{tiny}: a decoder that learned whole");
    }
}
