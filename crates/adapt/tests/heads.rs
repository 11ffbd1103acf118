//! Adapters beside classifiers: heads that learn whole, and what PEFT calls everything.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{collections::BTreeMap, fs};

use adapt::{AdaptError, Learner, Learns, Lora, LoraConfig, Method, PeftConfig};
use burn::tensor::{Device, Tensor};
use model::{
    Adapter, Bare, Base, HeadFrom, HeadSpec, Reads,
    encoder::{Classifier, Rows},
};
use spec::TargetModules;
use testkit::fixture;
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

fn open(tiny: &str, num_labels: usize) -> Classifier {
    let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
    let head = HeadSpec { reads: Reads::Text, num_labels, from: HeadFrom::File, seed: 3 };
    Classifier::open(&checkpoint, head, &Device::flex()).unwrap()
}

fn config(target_modules: TargetModules, modules_to_save: &[&str]) -> LoraConfig {
    LoraConfig {
        r: 2,
        lora_alpha: 4.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules,
        modules_to_save: modules_to_save.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn named(names: &[&str]) -> TargetModules {
    TargetModules::Named(names.iter().map(|name| (*name).to_owned()).collect())
}

fn says(model: &Classifier, adapter: &dyn Adapter) -> Vec<f32> {
    let rows = Rows::packed(model.encoder().config(), &[vec![4, 3]], 7, model.device());
    model.logits(&[5, 6, 7, 8, 9, 10, 11], &rows, adapter).unwrap().into_data().iter::<f32>().collect()
}

/// The same adapter as if it had learned something.
fn moved(lora: &Lora) -> Lora {
    lora.with_values(lora.values().map(|t: &Tensor<2>| t.clone() + 0.05).collect())
}

#[test]
fn a_newborn_adapter_with_a_head_changes_nothing_and_a_moved_head_does() {
    let model = open("bert", 5);
    let newborn = Lora::attach(&model, config(TargetModules::AllLinear, &["classifier"]), 1).unwrap();
    assert_eq!(says(&model, &newborn), says(&model, &Bare));
    let head = Lora::attach(&model, config(named(&["query"]), &["classifier"]), 1).unwrap();
    let only_head =
        head.names().into_iter().zip(head.values()).map(|(name, value)| {
            if name.contains("classifier") { value.clone() + 1.0 } else { value.clone() }
        });
    let only_head = head.with_values(only_head.collect());
    assert_ne!(says(&model, &only_head), says(&model, &Bare));
}

#[test]
fn tensors_have_the_names_and_shapes_that_peft_gives_them() {
    let model = open("bert", 5);
    let lora = Lora::attach(&model, config(named(&["query"]), &["classifier"]), 1).unwrap();
    let found: Vec<_> = lora.to_named().into_iter().map(|t| (t.name, t.shape)).collect();
    let query = |i: usize, side: &str| {
        format!("base_model.model.bert.encoder.layer.{i}.attention.self.query.lora_{side}.weight")
    };
    let expected = [
        (query(0, "A"), vec![2, 32]),
        (query(0, "B"), vec![32, 2]),
        (query(1, "A"), vec![2, 32]),
        (query(1, "B"), vec![32, 2]),
        ("base_model.model.classifier.weight".to_owned(), vec![5, 32]),
        ("base_model.model.classifier.bias".to_owned(), vec![5]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn target_names_mean_the_layers_that_have_a_pair_and_no_others() {
    let names = |model: &Classifier, targets| {
        let lora = Lora::attach(model, config(targets, &["classifier"]), 1).unwrap();
        lora.target_names().to_vec()
    };
    let all = ["dense", "key", "query", "value"];
    assert_eq!(names(&open("bert", 3), TargetModules::AllLinear), all, "the pooler is one of them");
    assert_eq!(names(&open("distilbert", 3), named(&["q_lin", "v_lin"])), ["q_lin", "v_lin"]);
    assert_eq!(names(&open("modernbert_cls", 3), TargetModules::Attention), ["Wqkv", "attn.Wo"]);
    let attention = ["attention.output.dense", "key", "query", "value"];
    assert_eq!(names(&open("bert", 3), TargetModules::Attention), attention);
    // In RoBERTa's head there is a `dense` too, which learns whole.
    let but_the_head = ["intermediate.dense", "key", "output.dense", "query", "value"];
    assert_eq!(names(&open("roberta", 3), TargetModules::AllLinear), but_the_head);
}

#[test]
fn a_folder_of_peft_gives_back_pairs_and_head() {
    for (tiny, targets) in [
        ("bert", TargetModules::AllLinear),
        ("roberta", TargetModules::AllLinear),
        ("distilbert", TargetModules::Attention),
        ("modernbert_cls", named(&["Wqkv", "Wi"])),
    ] {
        let model = open(tiny, 5);
        let modules = model.modules_to_save();
        let modules: Vec<&str> = modules.iter().map(String::as_str).collect();
        let lora = moved(&Lora::attach(&model, config(targets, &modules), 1).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let peft = PeftConfig::of(&lora, "base");
        assert_eq!(peft.task_type.as_deref(), Some("SEQ_CLS"));
        assert_eq!(peft.modules_to_save, Some(model.modules_to_save()));
        let json = serde_json::to_vec(&peft).unwrap();
        fs::write(folder.path().join("adapter_config.json"), json).unwrap();
        let outgoing = lora
            .to_named()
            .into_iter()
            .map(|t| Outgoing::of_f32(t.name, &t.shape, Float::F32, move || Ok(t.values)));
        let path = folder.path().join("adapter_model.safetensors");
        safetensors(&path, outgoing.collect::<Vec<_>>(), &BTreeMap::new()).unwrap();

        let again = Lora::open(folder.path(), &model).unwrap();
        assert_eq!(again.to_named(), lora.to_named(), "{tiny}");
        assert_eq!(says(&model, &again), says(&model, &lora), "{tiny}");
    }
}

#[test]
fn a_module_that_is_not_there_is_refused_unless_peft_always_names_it() {
    let model = open("bert", 3);
    let attach = |modules: &[&str]| Lora::attach(&model, config(TargetModules::AllLinear, modules), 1);
    assert!(matches!(attach(&["lm_head"]), Err(AdaptError::UnknownModule(name)) if name == "lm_head"));
    assert!(attach(&["classifier", "score"]).is_ok());
}

#[test]
fn what_learns_whole_gets_no_pair() {
    let model = open("bert", 3);
    let lora = Lora::attach(&model, config(TargetModules::AllLinear, &["pooler", "classifier"]), 1).unwrap();
    assert!(model.linears().iter().any(|linear| linear.path == "bert.pooler.dense"));
    let of_pooler: Vec<_> = lora.names().into_iter().filter(|name| name.contains("pooler")).collect();
    assert_eq!(
        of_pooler,
        ["base_model.model.bert.pooler.dense.weight", "base_model.model.bert.pooler.dense.bias"]
    );
    assert!(!lora.target_names().contains(&"dense".to_owned()), "PEFT would give the pooler a pair");
}

#[test]
fn whole_tensors_are_read_back_by_name_and_nothing_is_passed_over() {
    let model = open("bert", 3);
    let method = Method::Full("!embeddings,!biases".parse().unwrap());
    let newborn = Learner::attach(&model, &method, 1).unwrap();
    assert_eq!(says(&model, &newborn), says(&model, &Bare), "newborn it changes nothing");
    let moved = newborn.with_values(newborn.values().map(|t: &Tensor<2>| t.clone() + 0.05).collect());
    let again = Learner::restore(&model, &method, moved.to_named()).unwrap();
    assert_eq!(again.to_named(), moved.to_named());
    assert_eq!(says(&model, &again), says(&model, &moved));

    let restore = |tensors| Learner::restore(&model, &method, tensors).unwrap_err();
    let mut less = moved.to_named();
    let gone = less.remove(2).name;
    assert!(matches!(restore(less), AdaptError::MissingTensor(name) if name == gone));
    let mut more = moved.to_named();
    more[0].name = "classifier.bias".to_owned();
    assert!(matches!(restore(more), AdaptError::MissingTensor(_)));
    let mut other = moved.to_named();
    other[5].shape.reverse(); // of a matrix that is not square
    assert!(matches!(restore(other), AdaptError::WrongShape { .. }));
}
