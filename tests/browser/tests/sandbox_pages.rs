//! The sandbox's pages, as a person opens them there.
use browser::{Person, run};
use end_to_end::events::{detection, zone};
use end_to_end::tenant::Tenant;

#[test]
fn an_observation_stands_on_the_projects_page() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
        let observation = tenant.settled("observations", 1).remove(0);
        let person = Person::new().await;
        let path =
            format!("webclients/host/companies/{}/projects/{}/tools/observations", tenant.company, tenant.project);
        person.open(&format!("{}/{path}", tenant.stack.sandbox)).await;
        let name = observation["name"].as_str().expect("a name");
        person.sees(name).await;
        person.picture("sandbox observations").await;
        person.presses(name).await;
        person.sees("Crane 2").await;
    });
}
