//! What holds of training models that answer with a head: on tiny random checkpoints.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

#[path = "common/course.rs"]
mod course;

use std::{cell::Cell, ops::ControlFlow, path::Path};

use adapt::{Learner, Learns, Method as Learning};
use burn::tensor::Device;
use course::{course, files, values};
use data::{Answer, Question};
use model::{Adapter, Bare, Base, HeadFrom, HeadModel, Reads, Text};
use serde_json::json;
use spec::{Control, Decided, DeviceChoice, Method, Metric, Plan, RunEvent, Score, Task};
use testkit::{assert_close, fixture, plan};
use train::{Computed, Head, TrainError, Update, Workers, evaluate, head_spec, latest, learned, method};
use weights::Checkpoint;

fn labels(n: u32) -> Vec<String> {
    (0..n).map(|i| format!("label {i}")).collect()
}

fn classify() -> Task {
    Task::Classify { labels: labels(5) }
}

fn open(tiny: &str, task: &Task) -> HeadModel {
    let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
    let spec = head_spec(task, &checkpoint.config_json().unwrap(), 42).unwrap();
    HeadModel::open(&checkpoint, spec, &Device::flex()).unwrap()
}

fn plan_of(task: Task, turn: impl FnOnce(&mut Decided)) -> Plan {
    let mut plan = plan(turn);
    plan.task.value = task;
    plan
}

/// Texts of several lengths; `answer` is given each one's number and length.
fn questions(n: usize, answer: impl Fn(usize, usize) -> Answer) -> Vec<Question> {
    let question = |i: usize| {
        let length = 4 + i * 5 % 9;
        let ids = (0..length).map(|at| 5 + (at * 37 + i * 11) as u32 % 150).collect();
        Question { ids, type_ids: None, answer: answer(i, length) }
    };
    (0..n).map(question).collect()
}

fn labelled(n: usize) -> Vec<Question> {
    questions(n, |i, _| Answer::Label(i as u32 % 5))
}

/// As if it had learned something.
fn moved(learner: &Learner) -> Learner {
    learner.with_values(learner.values().map(|t| t.clone() + 0.02).collect())
}

/// A run in `folder`, three of whose lessons are looked at; `asked` is looked at before each step.
fn go(
    folder: &Path,
    plan: &Plan,
    model: &HeadModel,
    lessons: &[Question],
    asked: &dyn Fn() -> Option<Control>,
) -> Result<Vec<RunEvent>, TrainError> {
    let head = Head::new(model, plan, lessons)?;
    let judge = |logits: &[Vec<f32>]| {
        let value = logits.iter().map(|each| f64::from(each[0])).sum();
        vec![Score { metric: Metric::Accuracy, value }]
    };
    course(folder, plan, &head, [lessons, &lessons[..lessons.len().min(3)]], &judge, asked, None)
}

#[test]
fn a_resumed_run_is_the_uninterrupted_one_bit_for_bit() {
    // As a process of its own would: a new head is made again, it follows from the seed.
    let model = || open("bert", &classify());
    let lessons = labelled(12);
    for way in [Method::Lora, Method::Full] {
        let plan = plan_of(classify(), |knobs| {
            knobs.method.value = way;
            knobs.class_weights.value = true;
            knobs.max_steps.value = 9;
            knobs.dropout.value = 0.1;
            knobs.learning_rate.value = 1e-2;
            knobs.eval_interval.value = 3;
            knobs.save_interval.value = 2;
        });
        let whole = tempfile::tempdir().unwrap();
        go(whole.path(), &plan, &model(), &lessons, &|| None).unwrap();

        let broken = tempfile::tempdir().unwrap();
        let steps = Cell::new(0);
        let said = go(broken.path(), &plan, &model(), &lessons, &|| {
            steps.set(steps.get() + 1);
            (steps.get() == 6).then_some(Control::Pause)
        });
        assert!(matches!(said.unwrap().last(), Some(RunEvent::Paused { step: 5, .. })));
        let said = go(broken.path(), &plan, &model(), &lessons, &|| None).unwrap();
        assert!(matches!(said.first(), Some(RunEvent::Ready { resumed_at: 5, .. })));
        assert_eq!(files(whole.path()), files(broken.path()), "{way}");
    }
}

#[test]
fn every_task_learns_its_training_data_by_heart() {
    let tag = |i: usize, length: usize| {
        let tag = |at: usize| (at > 0 && at + 1 < length).then_some(((i + at) % 3) as u32);
        Answer::Tags((0..length).map(tag).collect())
    };
    let cases: [(&str, Task, Vec<Question>, f64); 5] = [
        ("bert", classify(), labelled(6), 0.2),
        ("roberta", Task::Classify { labels: labels(5) }, labelled(6), 0.2),
        (
            "modernbert_cls",
            Task::ClassifySeveral { labels: labels(3) },
            questions(6, |i, _| Answer::Labels(vec![i % 2 == 0, i % 3 == 0, i > 3])),
            0.2,
        ),
        ("distilbert", Task::Score, questions(6, |i, _| Answer::Number(i as f32 / 3.0)), 0.1),
        ("bert", Task::Tag { labels: labels(3) }, questions(6, tag), 0.3),
    ];
    for (tiny, task, lessons, at_most) in cases {
        let plan = plan_of(task.clone(), |knobs| {
            knobs.max_steps.value = 150;
            knobs.batch_size.value = 6;
            knobs.learning_rate.value = 1e-2;
            knobs.eval_interval.value = 150;
        });
        let folder = tempfile::tempdir().unwrap();
        let model = open(tiny, &task);
        let said = go(folder.path(), &plan, &model, &lessons, &|| None).unwrap();
        let losses: Vec<f64> = said
            .iter()
            .filter_map(|event| if let RunEvent::Stepped { loss, .. } = event { Some(*loss) } else { None })
            .collect();
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(last < at_most && last < 0.5 * first, "{tiny} {task:?}: from {first} to {last}");
    }
}

#[test]
fn batches_of_any_size_give_the_same_gradient_whatever_answers_weigh() {
    let tags = |i: usize, length: usize| {
        let taught = |at: usize| at.is_multiple_of(i + 1).then_some((at % 5) as u32);
        Answer::Tags((0..length).map(taught).collect())
    };
    let tag = Task::Tag { labels: labels(5) };
    let uneven = |i: usize, _| Answer::Label(if i.is_multiple_of(4) { 1 } else { 3 });
    for (task, lessons) in [(classify(), questions(7, uneven)), (tag, questions(7, tags))] {
        let plan = plan_of(task.clone(), |knobs| knobs.class_weights.value = true);
        let model = open("bert", &task);
        let head = Head::new(&model, &plan, &lessons).unwrap();
        let learner = moved(&Learner::attach(&model, &method(&plan.knobs, &model), 1).unwrap());
        let update = || Update { rows: lessons.iter().collect() };
        let of = |workers: Workers| workers.gradients(&head, &learner, &update(), None).unwrap();
        // A GPU takes a batch at a time.
        let at_once = |n| of(Workers::new(DeviceChoice::Gpu { index: 0 }, n).unwrap());
        let one_by_one = at_once(1);
        let expected = values(one_by_one.gradients);
        assert!(expected.iter().any(|g| g.abs() > 1e-3));
        let cores = |n| of(Workers::new(DeviceChoice::Cpu, n).unwrap());
        for Computed { loss, gradients } in [at_once(3), at_once(7), cores(1), cores(4), cores(7)] {
            assert!((loss - one_by_one.loss).abs() < 1e-5, "{loss} is not {}", one_by_one.loss);
            assert_close(&values(gradients), &expected, 1e-5, "a batch of another size");
        }
    }
}

#[test]
fn a_look_says_what_the_head_says_of_each_text_in_order() {
    for (tiny, task) in [("bert", classify()), ("bert_ner", Task::Tag { labels: labels(5) })] {
        let model = open(tiny, &task);
        let answer = |i: usize, length| match task {
            Task::Tag { .. } => Answer::Tags(vec![Some(1); length]),
            _ => Answer::Label(i as u32 % 5),
        };
        let lessons = questions(130, answer); // more than are looked at at once
        let workers = Workers::new(DeviceChoice::Cpu, 8).unwrap();
        let head = Head::unweighted(&model);
        let looked = evaluate(&workers, &head, &Bare, &lessons, |_| ControlFlow::Continue(())).unwrap();
        let texts: Vec<Text> = lessons.iter().map(|q| Text { ids: &q.ids, type_ids: None }).collect();
        let said = workers.say(&model, &Bare, &texts).unwrap();
        assert_close(&looked.logits.concat(), &said.concat(), 2e-6, tiny);
        let mut taught = 0;
        for (lesson, said) in lessons.iter().zip(&looked.logits) {
            let text = Text { ids: &lesson.ids, type_ids: None };
            assert_close(said, &values([model.logits(&[text], &Bare).unwrap()]), 2e-6, tiny);
            taught += if model.spec().reads == Reads::Tokens { lesson.ids.len() as u64 } else { 1 };
        }
        assert_eq!(looked.tokens, taught);
    }
}

#[test]
fn scores_are_told_with_each_look() {
    let (model, lessons) = (open("bert", &classify()), labelled(5));
    let folder = tempfile::tempdir().unwrap();
    let plan = plan_of(classify(), |knobs| {
        knobs.max_steps.value = 2;
        knobs.eval_interval.value = 1;
    });
    let said = go(folder.path(), &plan, &model, &lessons, &|| None).unwrap();
    let told: Vec<f64> = said
        .iter()
        .filter_map(
            |event| if let RunEvent::Evaluated { scores, .. } = event { Some(scores[0].value) } else { None },
        )
        .collect();
    assert_eq!(told.len(), 3);

    // What is read back is what was judged.
    let name = folder.path().join(latest(folder.path()).unwrap());
    let again = learned(&name, &model, &method(&plan.knobs, &model)).unwrap();
    let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap();
    let head = Head::unweighted(&model);
    let looked = evaluate(&workers, &head, &again, &lessons[..3], |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(told[2], looked.logits.iter().map(|each| f64::from(each[0])).sum::<f64>());
}

#[test]
fn answers_that_do_not_fit_the_head_are_refused_before_training() {
    let refused = |tiny: &str, task: Task, answer: Answer, weigh: bool| -> String {
        let model = open(tiny, &task);
        let mut lessons = questions(3, |_, length| match &task {
            Task::Classify { .. } => Answer::Label(0),
            Task::ClassifySeveral { .. } => Answer::Labels(vec![true; 5]),
            Task::Tag { .. } => Answer::Tags(vec![Some(0); length]),
            _ => Answer::Number(0.0),
        });
        lessons[2].answer = answer;
        let plan = plan_of(task, |knobs| knobs.class_weights.value = weigh);
        match Head::new(&model, &plan, &lessons) {
            Err(error @ TrainError::Answers(_)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let several = || Task::ClassifySeveral { labels: labels(5) };
    let tag = || Task::Tag { labels: labels(5) };
    for (tiny, task, answer, says) in [
        ("bert", classify(), Answer::Label(5), "example 3: label 5 where the head has 5"),
        ("bert", classify(), Answer::Tags(vec![None]), "example 3: tags where the head reads whole texts"),
        ("bert", classify(), Answer::Number(1.0), "example 3: one number where the head says 5"),
        ("bert", several(), Answer::Labels(vec![true; 4]), "example 3: 4 labels where the head has 5"),
        ("bert", Task::Score, Answer::Number(f32::NAN), "example 3: NaN is not a number to learn"),
        ("bert", tag(), Answer::Tags(vec![Some(0)]), "example 3: 1 tags for 5 tokens"),
        ("bert", tag(), Answer::Label(1), "example 3: a label of the text where the head reads tokens"),
    ] {
        let said = refused(tiny, task, answer, false);
        assert!(said.contains(says), "{said}");
    }
    let weighed = refused("bert", Task::Score, Answer::Number(0.0), true);
    assert!(weighed.contains("class weights are for tasks with one label of several"), "{weighed}");

    let model = open("bert", &tag());
    let untaught = questions(3, |_, length| Answer::Tags(vec![None; length]));
    let folder = tempfile::tempdir().unwrap();
    let error = go(folder.path(), &plan_of(tag(), |_| ()), &model, &untaught, &|| None).unwrap_err();
    assert!(matches!(error, TrainError::NothingTaught), "{error}");
}

#[test]
fn rare_labels_weigh_more_when_they_should() {
    let (model, lessons) = (open("bert", &classify()), questions(9, |i, _| Answer::Label(u32::from(i == 0))));
    let loss = |weigh: bool, looked: &[Question]| {
        let plan = plan_of(classify(), |knobs| knobs.class_weights.value = weigh);
        let head = Head::new(&model, &plan, &lessons).unwrap();
        let workers = Workers::new(DeviceChoice::Cpu, 1).unwrap();
        evaluate(&workers, &head, &Bare, looked, |_| ControlFlow::Continue(())).unwrap().loss
    };
    let (rare, frequent) = (loss(false, &lessons[..1]), loss(false, &lessons[1..]));
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    near(loss(false, &lessons), (rare + 8.0 * frequent) / 9.0);
    near(loss(true, &lessons), (rare + frequent) / 2.0);
}

#[test]
fn what_is_frozen_stays_and_a_new_head_learns_whatever_is_chosen() {
    let (model, lessons) = (open("bert", &classify()), labelled(6));
    let before = |name: &str| {
        let parameter = model.parameters().iter().find(|parameter| parameter.name == name).unwrap();
        values([parameter.value().to_tensor()])
    };
    for trainable in ["biases", "!embeddings", "layers:1", "*.attention.*,!layers:0"] {
        let plan = plan_of(classify(), |knobs| {
            knobs.method.value = Method::Full;
            knobs.trainable.value = trainable.parse().unwrap();
            knobs.max_steps.value = 2;
            knobs.learning_rate.value = 1e-2;
        });
        let folder = tempfile::tempdir().unwrap();
        // A run keeps nothing of what learns whole.
        go(folder.path(), &plan, &open("bert", &classify()), &lessons, &|| None).unwrap();
        let name = folder.path().join(latest(folder.path()).unwrap());
        let learned = learned(&name, &model, &method(&plan.knobs, &model)).unwrap();
        let names = learned.names();
        assert!(names.contains(&"classifier.weight".to_owned()), "{trainable}: the head is new");
        for (name, value) in names.iter().zip(learned.values()) {
            let moved = values([value.clone()]) != before(name);
            let key = name.ends_with("key.bias"); // whose gradient is zero: it moves all scores alike
            let unused = name.contains("token_type"); // whose second row nobody asks for
            assert!(moved || key || unused, "{trainable}: {name} did not move");
        }
        let rest: Vec<_> =
            model.parameters().iter().filter(|parameter| !names.contains(&parameter.name)).collect();
        assert!(
            !rest.is_empty() && rest.iter().all(|parameter| learned.in_place_of(&parameter.name).is_none())
        );
        let chosen = |name: &str| match trainable {
            "biases" => name.ends_with(".bias"),
            "!embeddings" => !name.contains("embeddings"),
            "layers:1" => name.contains("layer.1."),
            _ => name.contains(".attention.") && !name.contains("layer.0."),
        };
        for parameter in model.parameters() {
            let is_new = parameter.name.starts_with("classifier");
            assert_eq!(
                names.contains(&parameter.name),
                is_new || chosen(&parameter.name),
                "{}",
                parameter.name
            );
        }
    }
}

#[test]
fn words_that_mean_nothing_here_are_refused_with_what_comes_near() {
    let model = open("bert", &classify());
    let said = |trainable: &str| {
        let method = Learning::Full(trainable.parse().unwrap());
        Learner::attach(&model, &method, 1).unwrap_err().to_string()
    };
    for (trainable, says) in [
        ("layers:0-2,layers:7", "`layers:7` is no layer of the model: it has layers 0 to 1"),
        (
            "*.atention.*",
            "no tensor of the model is called `*.atention.*`; near it are bert.encoder.layer.*.attention.",
        ),
    ] {
        let said = said(trainable);
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn the_files_own_head_stays_where_it_says_the_same_labels_in_the_same_order() {
    let config = |class: &str, problem: Option<&str>| {
        json!({"architectures": [class], "problem_type": problem,
            "id2label": {"0": "label 0", "1": "label 1"}})
    };
    let (sequence, token) = ("BertForSequenceClassification", "BertForTokenClassification");
    let two = || labels(2);
    let swapped = vec!["label 1".to_owned(), "label 0".to_owned()];
    let several = Some("multi_label_classification");
    for (task, config, from) in [
        (Task::Classify { labels: two() }, config(sequence, None), HeadFrom::File),
        (Task::Classify { labels: swapped }, config(sequence, None), HeadFrom::Nothing),
        (Task::Classify { labels: labels(3) }, config(sequence, None), HeadFrom::Nothing),
        (Task::Classify { labels: two() }, config(sequence, several), HeadFrom::Nothing),
        (Task::ClassifySeveral { labels: two() }, config(sequence, several), HeadFrom::File),
        (Task::Classify { labels: two() }, config(token, None), HeadFrom::Nothing),
        (Task::Tag { labels: two() }, config(token, None), HeadFrom::File),
        (Task::Classify { labels: two() }, config("BertModel", None), HeadFrom::Nothing),
        (Task::Score, json!({"architectures": [sequence], "id2label": {"0": "LABEL_0"}}), HeadFrom::File),
    ] {
        assert_eq!(head_spec(&task, &config, 1).unwrap().from, from, "{task:?} {config}");
    }
    assert_eq!(head_spec(&Task::Write, &config(sequence, None), 1), None);
}
