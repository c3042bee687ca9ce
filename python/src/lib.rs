//! The native part of the Python package `dhtlab`; `dhtlab/__init__.py` has the functions that users call.

#![expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 makes owned values of arguments"
)]

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use dhtlab::session::{self, Watch};
use dhtlab::{Failure, frame};
use dhtlab_experiments::KINDS;
use dhtlab_scenario::{
    Advice, KeyLocation, Overrides, RunOutput, Scenario, ScenarioError as InvalidScenario, Source,
};
use pyo3::create_exception;
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

create_exception!(
    dhtlab,
    ScenarioError,
    PyValueError,
    "A scenario that cannot be run, with the attributes file, line, key and message, and the texts of \
     its other errors in others."
);
create_exception!(
    dhtlab,
    RunError,
    PyRuntimeError,
    "A run failed, or results could not be written."
);

fn scenario_error(py: Python<'_>, error: &InvalidScenario) -> PyErr {
    let raised = ScenarioError::new_err(error.to_string());
    let value = raised.value(py);
    let line = match &error.place {
        KeyLocation::Line(line) => Some(*line),
        _ => None,
    };
    let _ = value.setattr("file", error.file.display().to_string());
    let _ = value.setattr("line", line);
    let _ = value.setattr("key", &error.key);
    let _ = value.setattr("message", &error.message);
    let others: Vec<String> = error.others.iter().map(ToString::to_string).collect();
    let _ = value.setattr("others", others);
    raised
}

fn failure(error: &Failure) -> PyErr {
    match error {
        Failure::Input(text) => PyValueError::new_err(text.clone()),
        Failure::Run(text) => RunError::new_err(text.clone()),
    }
}

/// A scenario that was read and checked.
#[pyclass(name = "Scenario", module = "dhtlab._native", frozen)]
struct PyScenario(Arc<Scenario>);

#[pymethods]
impl PyScenario {
    /// Reads the TOML `text` of the file `path`; paths in it are relative to its folder. Without `has_lines`
    /// the text was generated, and errors have no line.
    #[new]
    #[pyo3(signature = (text, path, has_lines, set, seed=None, repetitions=None, quick=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        text: &str,
        path: PathBuf,
        has_lines: bool,
        set: Vec<String>,
        seed: Option<u64>,
        repetitions: Option<u32>,
        quick: bool,
    ) -> PyResult<Self> {
        let overrides = Overrides {
            set,
            seed,
            repetitions,
            quick,
        };
        let read = py.detach(|| {
            let source = Source::parse(&path, text)?;
            let source = match has_lines {
                true => source,
                false => source.without_lines(),
            };
            Scenario::read(source, &overrides, KINDS)
        });
        let scenario = read.map_err(|error| scenario_error(py, &error))?;
        Ok(Self(Arc::new(scenario)))
    }

    /// The name, which is that of the folder of results.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The kind of experiment.
    #[getter]
    fn experiment(&self) -> &'static str {
        self.0.experiment.name()
    }

    /// The swept keys.
    #[getter]
    fn swept(&self) -> Vec<String> {
        self.0.swept.clone()
    }

    /// The points of the sweep and the number of runs.
    #[getter]
    fn size(&self) -> (usize, usize) {
        (self.0.points.len(), self.0.runs.len())
    }

    /// Warnings, and faults that make the results useless.
    fn advice(&self, py: Python<'_>) -> (Vec<String>, Vec<String>) {
        let advice = py.detach(|| Advice::on(&self.0));
        let texts = |all: &[InvalidScenario]| all.iter().map(ToString::to_string).collect();
        (texts(&advice.warnings), texts(&advice.faults))
    }

    /// A forecast: seconds of processor time of all runs, bytes of memory of the largest one.
    fn forecast(&self, py: Python<'_>, trials: bool) -> (f64, f64) {
        let scenario = Arc::clone(&self.0);
        py.detach(move || {
            let forecast = dhtlab::forecast(&scenario, trials);
            (forecast.seconds, forecast.bytes)
        })
    }
}

/// Calls back into Python while runs finish.
struct Caller<'a> {
    progress: Option<&'a Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Watch for Caller<'_> {
    fn finished(&mut self, done: usize, all: usize) {
        if let Some(progress) = self.progress
            && self.raised.is_none()
        {
            Python::attach(|py| {
                self.raised = progress.call1(py, (done, all)).err();
            });
        }
    }

    fn goes_on(&mut self) -> bool {
        if self.raised.is_none() {
            self.raised = Python::attach(|py| py.check_signals().err());
        }
        self.raised.is_none()
    }
}

/// The finished runs of a scenario.
#[pyclass(name = "Results", module = "dhtlab._native", frozen)]
struct PyResults {
    scenario: Arc<Scenario>,
    runs: Vec<(usize, RunOutput)>,
}

impl PyResults {
    fn borrowed(&self) -> Vec<(usize, &RunOutput)> {
        self.runs
            .iter()
            .map(|(run, outcome)| (*run, outcome))
            .collect()
    }
}

#[pymethods]
impl PyResults {
    /// The names of the tables that have rows.
    fn tables(&self) -> Vec<&'static str> {
        let long = self.scenario.experiment.tables().iter().enumerate();
        let filled = long.filter(|(place, _)| {
            let has_rows = |outcome: &RunOutput| {
                let rows = outcome.tables.get(*place);
                rows.is_some_and(|rows| !rows.0.is_empty())
            };
            self.runs.iter().any(|(_, outcome)| has_rows(outcome))
        });
        std::iter::once("runs")
            .chain(filled.map(|(_, table)| table.name))
            .collect()
    }

    /// The table with this name.
    fn table(&self, name: &str) -> PyResult<PyTable> {
        let finished = self.borrowed();
        let place = self
            .scenario
            .experiment
            .tables()
            .iter()
            .position(|table| table.name == name);
        let batch = match place {
            _ if name == "runs" => frame::runs(&self.scenario, &finished),
            Some(place) => frame::long_table(&self.scenario, place, &finished),
            None => return Err(PyKeyError::new_err(name.to_owned())),
        };
        batch
            .map(PyTable)
            .map_err(|error| RunError::new_err(error.to_string()))
    }

    /// The notes of the runs, by run.
    fn notes(&self) -> BTreeMap<String, Vec<String>> {
        let noted = self
            .runs
            .iter()
            .filter(|(_, outcome)| !outcome.notes.is_empty());
        noted
            .map(|(run, outcome)| (self.scenario.runs[*run].id.clone(), outcome.notes.clone()))
            .collect()
    }

    /// The name of the scenario.
    #[getter]
    fn name(&self) -> &str {
        &self.scenario.name
    }

    /// Number of finished and of planned runs.
    #[getter]
    fn size(&self) -> (usize, usize) {
        (self.runs.len(), self.scenario.runs.len())
    }
}

/// A table as an Arrow record batch.
#[pyclass(name = "Table", module = "dhtlab._native", frozen)]
struct PyTable(RecordBatch);

#[pymethods]
impl PyTable {
    #[new]
    #[pyo3(signature = (path, swept))]
    fn new(path: PathBuf, swept: Vec<String>) -> PyResult<Self> {
        frame::read_csv(&path, &swept)
            .map(Self)
            .map_err(|error| failure(&error))
    }

    /// The table as a stream of the Arrow C data interface; `requested_schema` is ignored.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let schema = self.0.schema();
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// Number of rows.
    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    /// A list of values for each column; empty cells are None.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        use arrow_array::cast::AsArray;
        use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
        use arrow_schema::DataType;
        let all = PyDict::new(py);
        for (field, column) in self.0.schema().fields().iter().zip(self.0.columns()) {
            let list = match column.data_type() {
                DataType::Utf8 => PyList::new(py, column.as_string::<i32>().iter())?,
                DataType::UInt64 => PyList::new(py, column.as_primitive::<UInt64Type>().iter())?,
                DataType::Int64 => PyList::new(py, column.as_primitive::<Int64Type>().iter())?,
                _ => PyList::new(py, column.as_primitive::<Float64Type>().iter())?,
            };
            all.set_item(field.name(), list)?;
        }
        Ok(all)
    }
}

/// Runs a scenario. Returns the results, and the exception that has ended it early, if one has.
#[pyfunction]
#[pyo3(signature = (scenario, out=None, jobs=None, progress=None))]
fn run(
    py: Python<'_>,
    scenario: &PyScenario,
    out: Option<PathBuf>,
    jobs: Option<u16>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(PyResults, Option<PyErr>)> {
    let scenario = Arc::clone(&scenario.0);
    let (finished, raised) = py.detach(|| {
        let mut caller = Caller {
            progress: progress.as_ref(),
            raised: None,
        };
        let finished = session::run(&scenario, out.as_deref(), jobs, &mut caller);
        (finished, caller.raised)
    });
    let finished = finished.map_err(|error| failure(&error))?;
    let results = PyResults {
        scenario,
        runs: finished.runs,
    };
    Ok((results, raised))
}

/// The JSON Schema of scenario files, as text.
#[pyfunction]
fn schema() -> String {
    dhtlab_scenario::schema(KINDS).to_string()
}

/// Refuses a folder without results, or with files that were changed after the run.
#[pyfunction]
fn verify(folder: PathBuf) -> PyResult<()> {
    dhtlab::verify(&folder).map_err(|error| failure(&error))
}

/// The meaning of keys and columns, as text.
#[pyfunction]
fn explain(names: Vec<String>) -> PyResult<String> {
    dhtlab::explain(KINDS, &names).map_err(|error| failure(&error))
}

/// The path of a scenario file: of this one, or of the shipped scenario with this name.
#[pyfunction]
fn find(name: PathBuf) -> PyResult<PathBuf> {
    dhtlab::find_scenario(Path::new(&name)).map_err(|error| failure(&error))
}

/// Runs the command with the arguments of a process, its name first; returns the exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    // An interrupt is handled by the command.
    py.detach(|| dhtlab::command(KINDS, arguments))
}

/// The native part of the package.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("ScenarioError", module.py().get_type::<ScenarioError>())?;
    module.add("RunError", module.py().get_type::<RunError>())?;
    module.add_class::<PyScenario>()?;
    module.add_class::<PyResults>()?;
    module.add_class::<PyTable>()?;
    module.add_function(wrap_pyfunction!(run, module)?)?;
    module.add_function(wrap_pyfunction!(schema, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(explain, module)?)?;
    module.add_function(wrap_pyfunction!(find, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)
}
