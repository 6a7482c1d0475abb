//! Loads the configuration: defaults, then the file, then the environment,
//! then what only the whole can tell.

use super::{
    Config, Fault, Faults, Mode, Place, Sources,
    diff::copy_origin,
    environment,
    fault::Wrong,
    keys::KEYS,
    model::Origins,
    reader::Reader,
    sources::{Fallback, File},
    tls, value,
};
use toml::de::DeTable;

const NUMBER: &str = "pairing.phone_number";

/// Reads and checks everything, for a start or for `check-config`.
///
/// # Errors
///
/// Every fault there is.
pub fn load(sources: &Sources) -> Result<Config, Faults> {
    read(sources, None)
}

/// Reads and checks everything anew. The environment seeds the start only: a
/// mode or a number that changed in the file since `previous` wins over it.
///
/// # Errors
///
/// Every fault there is; `previous` stays in force.
pub fn load_for_reload(sources: &Sources, previous: &Config) -> Result<Config, Faults> {
    read(sources, Some(previous))
}

fn read(sources: &Sources, previous: Option<&Config>) -> Result<Config, Faults> {
    // Without the file there is no telling what the environment lacks, so an
    // unreadable one is the only fault.
    let file = sources.read_file()?;
    let state_dir = sources.state_dir(file.as_ref().map(|file| file.path.as_path()));
    let mut config = Config::new(state_dir.path.clone());
    let mut given = Given::default();
    if let Some(file) = &file {
        config.file = Some(file.path.clone());
        given = document(&mut config, file);
        config.origins.clone_from(&given.places);
    }
    config.also_set_by("storage.state_dir", state_dir.place.clone());
    config.file_pairing = config.pairing.clone();
    let file_origins = config.origins.clone();
    let mut faults = std::mem::take(&mut given.faults);
    environment::apply(sources, &mut config, &given.places, &mut faults);
    if let Some(previous) = previous {
        keep_seed(&mut config, previous, &file_origins);
    }
    settle_paths(sources, &mut config, &given, &state_dir, &mut faults);
    if !given.broken {
        tls::settle(&mut config.http, &given.places, &mut faults);
        check_pairing(sources, &config, &given, &mut faults);
    }
    Faults::unless_empty(faults, config)
}

/// What the document gave beside the values.
#[derive(Default)]
struct Given {
    faults: Vec<Fault>,
    places: Origins,
    /// Something may be missing only because its line could not be read.
    broken: bool,
}

fn document(config: &mut Config, file: &File) -> Given {
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    let mut reader = Reader::new(&file.path, &file.text);
    reader.syntax(&errors);
    reader.document(table.get_ref(), &KEYS, config);
    Given {
        broken: reader.is_broken(),
        faults: reader.faults,
        places: reader.places,
    }
}

/// What did not change in the file stays as the start and the reloads since
/// have left it; what did change is the file's.
fn keep_seed(config: &mut Config, previous: &Config, file_origins: &Origins) {
    let file = &config.file_pairing;
    let same_mode = file.mode == previous.file_pairing.mode;
    let same_number = file.phone_number == previous.file_pairing.phone_number;
    config.pairing.mode = if same_mode {
        previous.pairing.mode
    } else {
        file.mode
    };
    if same_number {
        config
            .pairing
            .phone_number
            .clone_from(&previous.pairing.phone_number);
    } else if file.phone_number.is_some() {
        config.pairing.phone_number.clone_from(&file.phone_number);
    }
    let removed = !same_number && file.phone_number.is_none();
    for (key, same) in [("pairing.mode", same_mode), (NUMBER, same_number)] {
        let seeded = matches!(previous.origins.get(key), Some(Place::Environment(_)));
        if same && seeded {
            copy_origin(key, &previous.origins, &mut config.origins);
        } else if key != NUMBER || !removed {
            copy_origin(key, file_origins, &mut config.origins);
        }
    }
}

/// Fills in the socket, whose default may lie in the state directory, and
/// refuses paths that cannot serve, wherever they came from.
fn settle_paths(
    sources: &Sources,
    config: &mut Config,
    given: &Given,
    state_dir: &Fallback,
    faults: &mut Vec<Fault>,
) {
    if config.storage.state_dir.as_os_str().is_empty() {
        let wrong = Wrong::new(
            "there is no home directory to keep the state in",
            "set storage.state_dir, or HOME or STATE_DIRECTORY in the environment",
        );
        faults.push(wrong.at(state_dir.place.clone(), "storage.state_dir"));
        return;
    }
    let chosen = match &sources.socket {
        Some(path) => Fallback {
            path: path.clone(),
            place: Place::Flag("--socket"),
        },
        // The file's own was checked where it was read.
        None if given.places.contains_key("control.socket") => return,
        None => sources.socket(config.file.as_deref(), &config.storage.state_dir),
    };
    if let Err(wrong) = value::socket_path(&chosen.path.to_string_lossy()) {
        faults.push(wrong.at(chosen.place.clone(), "control.socket"));
    }
    config.control.socket = chosen.path;
    config.set_by("control.socket", chosen.place);
}

/// `mode = "code"` is nothing without a number.
fn check_pairing(sources: &Sources, config: &Config, given: &Given, faults: &mut Vec<Fault>) {
    let complained = faults
        .iter()
        .any(|fault| fault.key == NUMBER || fault.place == Place::Environment("PHONE_NUMBER"));
    if complained || config.pairing.mode == Mode::Qr || config.pairing.phone_number.is_some() {
        return;
    }
    let (place, what, hint) = if sources.variable("USE_PAIRING_CODE").is_some() {
        (
            Place::Environment("USE_PAIRING_CODE"),
            "asks for a pairing code, and there is no number to make it for",
            "set PHONE_NUMBER=628123456789, or pairing.phone_number in the file",
        )
    } else {
        (
            given
                .places
                .get("pairing.mode")
                .cloned()
                .unwrap_or(Place::Default),
            "mode \"code\" needs a number to make the code for",
            "add phone_number = \"628123456789\" to [pairing]",
        )
    };
    faults.push(Wrong::new(what, hint).at(place, NUMBER));
}
