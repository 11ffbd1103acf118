//! A plan without a planner.

use spec::{
    Because, Chosen, Decided, DeviceChoice, Forecast, GradientCheckpointing, Method, MixedPrecision, ModelId,
    Optim, Plan, Prefix, Quantization, Range, Schedule, Sha256, Supervise, TargetModules, Task, Template,
    Trainable,
};

/// A plan for the processor with the knobs of the reference curves, changed by `turn`.
pub fn plan(turn: impl FnOnce(&mut Decided)) -> Plan {
    fn asked<T>(value: T) -> Chosen<T> {
        Chosen::new(value, Because::Asked)
    }
    let mut knobs = Decided {
        supervise: asked(Supervise::Everything),
        source_prefix: asked(Prefix::default()),
        context_length: asked(64),
        packing: asked(false),
        group_by_length: asked(false),
        method: asked(Method::Lora),
        trainable: asked(Trainable::default()),
        quantization: asked(Quantization::None),
        mixed_precision: asked(MixedPrecision::No),
        rank: asked(8),
        alpha: asked(16.0),
        dropout: asked(0.0),
        target_modules: asked(TargetModules::AllLinear),
        use_rslora: asked(false),
        learning_rate: asked(2e-4),
        schedule: asked(Schedule::Constant),
        warmup_ratio: asked(0.0),
        epochs: asked(1.0),
        max_steps: asked(20),
        batch_size: asked(2),
        gradient_accumulation: asked(1),
        class_weights: asked(false),
        weight_decay: asked(0.0),
        max_grad_norm: asked(0.0),
        optim: asked(Optim::AdamW),
        gradient_checkpointing: asked(GradientCheckpointing::None),
        seed: asked(42),
        eval_interval: asked(5),
        eval_examples: asked(0),
        early_stopping_patience: asked(0),
        save_interval: asked(5),
        n_samples: asked(0),
    };
    turn(&mut knobs);
    let none = Range { low: 0.0, high: 0.0 };
    Plan {
        model: ModelId("test".to_owned()),
        model_hash: Sha256("0".repeat(64)),
        data_version: Sha256("0".repeat(64)),
        task: asked(Task::Write),
        device: asked(DeviceChoice::Cpu),
        template: Template::None,
        knobs,
        forecast: Forecast { memory: none, secs: none, tokens: 0 },
        kernels_at_once: None,
    }
}
