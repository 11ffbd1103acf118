//! The knobs as options: one for each entry of the table in `spec`, spelled with dashes.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, error::ErrorKind};
use spec::{Asked, KNOBS};

/// The knobs that were set by hand.
#[derive(Clone, Debug, Default)]
pub struct KnobArgs(pub Asked);

impl Args for KnobArgs {
    fn augment_args(command: Command) -> Command {
        KNOBS.iter().fold(command, |command, knob| {
            let option = Arg::new(knob.key)
                .long(knob.key.replace('_', "-"))
                .value_name("VALUE")
                .help(knob.help)
                .long_help(format!("{} It is {}.", knob.help, knob.kind))
                .help_heading("Knobs (left out: Tunesmith decides, and says why)");
            command.arg(option)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KnobArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut asked = Asked::default();
        for knob in KNOBS {
            if let Some(value) = matches.get_one::<String>(knob.key) {
                asked
                    .set(knob.key, value)
                    .map_err(|error| Error::raw(ErrorKind::ValueValidation, format!("{error}\n")))?;
            }
        }
        Ok(Self(asked))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
