//! What checks of devices came to. A check holds for one driver and one version of the program: with another of either
//! the device counts as one that was never checked.

use rusqlite::{OptionalExtension, params};
use spec::{DeviceCheck, DeviceInfo};

use crate::{Store, StoreError, columns::Json, migrate::Migration};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::additive(
    202611220130,
    "CREATE TABLE device_check (
        name        TEXT    NOT NULL,
        api         TEXT    NOT NULL,
        driver      TEXT    NOT NULL,  -- empty where there is none
        app_version TEXT    NOT NULL,
        verdict     TEXT    NOT NULL CHECK (json_valid(verdict)),
        at_ms       INTEGER NOT NULL,
        PRIMARY KEY (name, api, driver, app_version)
    ) STRICT, WITHOUT ROWID;",
)];

impl Store {
    /// The last check of a device, with its driver as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn device_check(
        &self,
        device: &DeviceInfo,
        app_version: &str,
    ) -> Result<Option<DeviceCheck>, StoreError> {
        self.read(|db| {
            let sql = "SELECT verdict, at_ms FROM device_check
                WHERE name = ?1 AND api = ?2 AND driver = ?3 AND app_version = ?4";
            let key = params![device.name, device.api, driver(device), app_version];
            let found = db.query_row(sql, key, |row| {
                let Json(verdict) = row.get(0)?;
                Ok(DeviceCheck { verdict, at_ms: row.get(1)? })
            });
            Ok(found.optional()?)
        })
    }

    /// Remembers a check in place of the one before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_device_check(
        &self,
        device: &DeviceInfo,
        app_version: &str,
        check: &DeviceCheck,
    ) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO device_check (name, api, driver, app_version, verdict, at_ms)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    device.name,
                    device.api,
                    driver(device),
                    app_version,
                    Json(&check.verdict),
                    check.at_ms
                ],
            )?;
            Ok(())
        })
    }
}

fn driver(device: &DeviceInfo) -> &str {
    device.driver.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use spec::{DeviceChoice, DeviceKind, Verdict};

    use super::*;

    fn device(driver: Option<&str>) -> DeviceInfo {
        DeviceInfo {
            choice: DeviceChoice::Gpu { index: 0 },
            kind: DeviceKind::DiscreteGpu,
            name: "Some card".to_owned(),
            driver: driver.map(str::to_owned),
            api: "Vulkan".to_owned(),
            memory: None,
            has_f16: false,
        }
    }

    #[test]
    fn a_check_is_forgotten_with_another_driver_or_another_version() {
        let store = Store::in_memory().unwrap();
        let (old, new) = (device(Some("1.0")), device(Some("1.1")));
        let right = Verdict::Right {
            n_compared: 34,
            furthest: 1.5e-7,
            tokens_per_sec: 900.0,
            flops_per_sec: 6.1e10,
            in_half: None,
        };
        let check = DeviceCheck { verdict: right, at_ms: 5 };
        store.keep_device_check(&old, "0.1.0", &check).unwrap();
        assert_eq!(store.device_check(&old, "0.1.0").unwrap(), Some(check));
        let moved = DeviceInfo { choice: DeviceChoice::Gpu { index: 1 }, ..old.clone() };
        assert!(
            store.device_check(&moved, "0.1.0").unwrap().is_some(),
            "its place in the list is not its own"
        );
        assert_eq!(store.device_check(&new, "0.1.0").unwrap(), None);
        assert_eq!(store.device_check(&old, "0.2.0").unwrap(), None);
        assert_eq!(store.device_check(&device(None), "0.1.0").unwrap(), None);
        assert_eq!(store.device_check(&DeviceInfo { api: "Dx12".to_owned(), ..old }, "0.1.0").unwrap(), None);
    }

    #[test]
    fn a_check_takes_the_place_of_the_one_before() {
        let store = Store::in_memory().unwrap();
        for (at_ms, what) in [(1, "the loss is 0"), (2, "it writes another text")] {
            let check = DeviceCheck { verdict: Verdict::Wrong { what: what.to_owned() }, at_ms };
            store.keep_device_check(&device(None), "0.1.0", &check).unwrap();
            assert_eq!(store.device_check(&device(None), "0.1.0").unwrap(), Some(check));
        }
    }
}
