//! The app inside Procore: our page in a frame on another site's page. The sandbox frames it, as Procore does; 127.0.0.1 and
//! localhost are two sites to a browser.
use browser::{Newcomer, Person, run};
use end_to_end::tenant::Tenant;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// As browsers will be, or are, by default: no cookie reaches a frame but those of its own partition.
const NO_THIRD_PARTY_COOKIES: &str = "--test-third-party-cookie-phaseout";

/// Somebody who can list the tenant's project in Procore.
fn colleague(tenant: &Tenant) -> String {
    let login = format!("superintendent.{}", tenant.company);
    let person = json!({"login": login, "name": "Site Superintendent", "companies": [tenant.company]});
    tenant.stack.control("seed", json!({"person": person}));
    login
}

fn app_inside_procore(sandbox: &str, company: impl std::fmt::Display) -> String {
    format!("{sandbox}/webclients/host/companies/{company}/tools/apps/embedded/sandbox-client")
}

/// A page of somebody else's that shows one of ours, on a port of its own until the test ends.
fn elsewhere(framed: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let page = format!("<!doctype html><title>Elsewhere</title><h1>Elsewhere</h1><iframe src=\"{framed}\"></iframe>");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let serve = move |mut stream: TcpStream| {
        let mut asked = [0u8; 4096];
        // What is asked is not looked at: there is one page.
        if stream.read(&mut asked).is_ok_and(|read| read > 0)
            && let Err(error) = stream.write_all(answer.as_bytes())
        {
            eprintln!("the page elsewhere was not read to its end: {error}");
        }
    };
    // Each by itself: a browser opens connections that it does not use yet.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

fn session_cookies(cookies: &[Value]) -> Vec<&Value> {
    cookies.iter().filter(|cookie| cookie["name"] == "hhp_session").collect()
}

async fn signs_in_at_procore(person: &Person, login: &str) {
    person.presses("Sign in with Procore").await;
    person.sees("Log in").await;
    person.chooses("Person", &format!("Site Superintendent, Contractor ({login})")).await;
    person.presses("Log in").await;
    person.presses("Allow").await;
}

#[test]
fn inside_procore_somebody_signs_in_by_a_window_and_the_frame_has_a_cookie_of_its_own() {
    run(async {
        let tenant = Tenant::new();
        let login = colleague(&tenant);
        let person = Person::with(&[NO_THIRD_PARTY_COOKIES]).await;

        // The frame asks for a login that stands in no frame, so a window opens.
        person.open(&app_inside_procore(&tenant.stack.sandbox, &tenant.company)).await;
        person.looks_into_the_frame().await;
        person.sees("Procore's login opens in a window of its own").await;
        person.can_use("inside Procore sign-in").await;
        person.looks_into_the_frame().await;
        person.presses("Sign in").await;
        let procore = person.turns_to_the_new_window().await;
        signs_in_at_procore(&person, &login).await;

        // The window closes by itself, and the frame goes on where it was.
        person.is_back_in(&procore).await;
        person.looks_into_the_frame().await;
        person.sees("Tower").await;
        person.sees(&format!("Signed in as {login} (viewer)")).await;
        assert_eq!(
            person.script("return location.origin + location.pathname").await,
            json!(format!("{}/setup", tenant.stack.api))
        );
        person.can_use("inside Procore overview").await;

        // The frame's cookie is kept for this site inside that one, and for nothing else.
        let cookies = person.cookies().await;
        let framed: Vec<&Value> =
            session_cookies(&cookies).into_iter().filter(|cookie| !cookie["partitionKey"].is_null()).collect();
        assert_eq!(framed.len(), 1, "{cookies:#?}");
        assert_eq!(framed[0]["partitionKey"]["topLevelSite"], "http://127.0.0.1", "{framed:#?}");
        for (attribute, value) in [("secure", json!(true)), ("httpOnly", json!(true)), ("sameSite", json!("None"))] {
            assert_eq!(framed[0][attribute], value, "{attribute}: {framed:#?}");
        }

        // Links and forms work there.
        person.looks_into_the_frame().await;
        person.presses(&format!("Status of Tower in project {}", tenant.project)).await;
        person.sees("Needs someone").await;
        person.presses("People and sessions").await;
        person.sees("(this browser)").await;
        person.presses("Sign out").await;
        person.sees("Procore's login opens in a window of its own").await;

        // The window's own session is another one, and still there; a new tab is there for who wants no second window.
        person.presses("Open HardHat Pulse in a new tab").await;
        person.turns_to_the_new_window().await;
        person.sees(&format!("Signed in as {login} (viewer)")).await;
    });
}

#[test]
fn the_whole_set_up_goes_on_inside_procore() {
    run(async {
        let newcomer = Newcomer::new();
        let person = Person::with(&[NO_THIRD_PARTY_COOKIES]).await;
        person.open(&newcomer.setup_link()).await;
        person.presses("Sign in").await;
        person.sees("No platform is connected yet").await;

        // The window knows them already, hands over at once and closes.
        person.open(&app_inside_procore(&newcomer.stack.sandbox, newcomer.company)).await;
        person.looks_into_the_frame().await;
        person.presses("Sign in").await;
        person.sees("No platform is connected yet").await;
        person.presses("Set up Procore").await;
        person.presses("Sign in with Procore").await;
        person.sees("Procore's login opens in a window of its own").await;
        person.presses("Sign in").await;
        let procore = person.turns_to_the_new_window().await;
        newcomer.logs_in(&person).await;
        person.is_back_in(&procore).await;
        person.looks_into_the_frame().await;
        person.ticks(&newcomer.company_name).await;
        person.presses("Connect this company").await;
        person.presses("Map Bridge D").await;
        person.sees("Lowest priority that is sent").await;
        person.presses("Save and go on").await;
        person.sees("America/Denver").await;
        person.presses("Save and go on").await;
        person.presses("Send a test record").await;
        person.sees("It works: the test record stands in Procore").await;
        assert_eq!(newcomer.observations().len(), 1);

        // A step that comes back to a page, not to the frame, has a tab of its own.
        person.presses("Done: see the status of Bridge D").await;
        person.sees("Status of Bridge D").await;
        person.script("location.href = '/setup/connect'").await;
        person.presses("What this connection works with").await;
        person.presses("Let it work with my own access").await;
        person.sees("This step has a tab of its own").await;
        person.can_use("inside Procore a tab beside the frame").await;
        person.looks_into_the_frame().await;
        person.presses("Go on in a new tab").await;
        person.turns_to_the_new_window().await;
        person.presses("Allow").await;
        person.sees(&format!("Works with the consent of {}", newcomer.login)).await;
    });
}

#[test]
fn what_another_site_posts_to_the_frame_counts_for_nothing() {
    run(async {
        let tenant = Tenant::new();
        let login = colleague(&tenant);
        let person = Person::with(&[NO_THIRD_PARTY_COOKIES]).await;
        // A code that is good, in a window that nobody opened from a frame.
        person.open(&format!("{}/sign-in?next=%2Fsign-in%2Fhand-over", tenant.stack.api)).await;
        signs_in_at_procore(&person, &login).await;
        person.sees("You can close this window").await;
        person.can_use("signed in without a frame").await;
        let code = person.script("return document.getElementById('hand-over').dataset.code").await;
        person.open(&app_inside_procore(&tenant.stack.sandbox, &tenant.company)).await;
        person.looks_into_the_frame().await;
        person.sees("Procore's login opens in a window of its own").await;
        person.looks_at_the_page().await;
        let post = format!("frames[0].postMessage({{handOver: {code}}}, '*')");
        person.script(&post).await;
        // A second message that is answered says that the first one was looked at.
        person.looks_into_the_frame().await;
        person.script("window.heard = 0; addEventListener('message', () => window.heard++)").await;
        person.looks_at_the_page().await;
        person.script(&post).await;
        person.looks_into_the_frame().await;
        person.becomes("return window.heard", &json!(1)).await;
        person.sees("Procore's login opens in a window of its own").await;
        let cookies = person.cookies().await;
        assert!(session_cookies(&cookies).iter().all(|cookie| cookie["partitionKey"].is_null()), "{cookies:#?}");
    });
}

#[test]
fn no_other_origin_can_frame_our_pages() {
    run(async {
        let tenant = Tenant::new();
        let person = Person::new().await;
        for page in ["setup", "sign-in", "sign-in/hand-over", "sign-in/link/unknown", "oauth/procore/callback"] {
            let port = elsewhere(&format!("{}/{page}", tenant.stack.api));
            // Another port of Procore's host and of ours: origins, not hosts, are compared.
            for host in ["127.0.0.1", "localhost"] {
                person.open(&format!("http://{host}:{port}/")).await;
                person.sees("Elsewhere").await;
                person.looks_into_the_frame().await;
                // What a browser puts in place of a page that it may not show.
                person.becomes("return location.href", &json!("chrome-error://chromewebdata/")).await;
                person.looks_at_the_page().await;
            }
        }
    });
}
