"""The Coq text that precedes the table: the functions that Coq's reals lack, and tactics that prove most theorems.

The idea of the proofs: near a point of a smooth piece all conditions are settled, so there the function is one formula without
cases; Coquelicot's ``auto_derive`` differentiates that formula, and the rest is algebra.  This is the tactic ``smooth x``, the
proof of nearly every theorem about the derivative with respect to x.
"""

from typing import Final

__all__ = ["DEFINITIONS", "FACTS", "MEANING", "PROOFS", "TACTICS"]

DEFINITIONS: Final = """\
From Coq Require Import Reals Lra Lia ZArith Nsatz.
Set Warnings "-ambiguous-paths".
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.
Create HintDb functions. Create HintDb rules.

(* A comparison is 1 where it holds, and 0 elsewhere; a condition holds unless it is 0. *)
Definition iverson {P Q : Prop} (decision : {P} + {Q}) : R := if decision then 1 else 0.
Notation "x <? y" := (iverson (Rlt_dec x y)) : R_scope.
Notation "x <=? y" := (iverson (Rle_dec x y)) : R_scope.
Notation "x >? y" := (iverson (Rlt_dec y x)) (at level 70) : R_scope.
Notation "x >=? y" := (iverson (Rle_dec y x)) (at level 70) : R_scope.
Definition choose (condition a b : R) : R := if Req_EM_T condition 0 then b else a.

(* The whole part, and functions that Coq's library lacks. *)
Definition floor (x : R) : R := IZR (Int_part x).
Definition is_whole (y : R) : {y = floor y} + {y <> floor y} := Req_EM_T y (floor y).
Definition power (x y : R) : R :=
  if Rlt_dec 0 x then Rpower x y else if is_whole y then powerRZ x (Int_part y) else 0.
Definition cbrt (x : R) : R :=
  if Rlt_dec 0 x then Rpower x (1 / 3) else if Rlt_dec x 0 then - Rpower (- x) (1 / 3) else 0.
Definition arccosh (x : R) : R := ln (x + sqrt (x * x - 1)).
Definition arctanh (x : R) : R := ln ((1 + x) / (1 - x)) / 2.
Definition arctan2 (y x : R) : R :=
  if Rlt_dec 0 (sqrt (y * y + x * x) + x) then 2 * atan (y / (sqrt (y * y + x * x) + x)) else if Rlt_dec x 0 then PI else 0.
Definition erf (x : R) : R := 2 / sqrt PI * RInt (fun t => exp (- t * t)) 0 x.
"""

MEANING: Final = """\
(* What these definitions mean. *)
Lemma if_lt (a b u v : R) : a < b -> (if Rlt_dec a b then u else v) = u.
Proof. intros; destruct Rlt_dec; lra. Qed.
Lemma if_not_lt (a b u v : R) : b <= a -> (if Rlt_dec a b then u else v) = v.
Proof. intros; destruct Rlt_dec; lra. Qed.
Lemma floor_is n x : IZR n <= x -> x < IZR n + 1 -> Int_part x = n.
Proof.
  intros; destruct (base_Int_part x).
  assert (IZR n < IZR (Int_part x) + 1) as P by lra. assert (IZR (Int_part x) < IZR n + 1) as Q by lra.
  rewrite <- plus_IZR in P, Q. apply lt_IZR in P, Q. lia.
Qed.
Lemma floor_on n x : IZR n < x -> x < IZR n + 1 -> floor x = IZR n.
Proof. intros; unfold floor; f_equal; apply floor_is; lra. Qed.
Lemma power_pos x y : 0 < x -> power x y = Rpower x y.
Proof. intros; unfold power; apply if_lt; lra. Qed.
Lemma power_nat n x y : y = INR n -> power x y = x ^ n.
Proof.
  intros ->; unfold power, is_whole, floor. rewrite INR_IZR_INZ.
  assert (Int_part (IZR (Z.of_nat n)) = Z.of_nat n) as E by (apply floor_is; lra).
  destruct Rlt_dec; [now rewrite <- powerRZ_Rpower, <- pow_powerRZ | rewrite E, <- pow_powerRZ; destruct Req_EM_T; lra].
Qed.
Lemma power_inverse n x y : x <> 0 -> y = - INR (S n) -> power x y = / x ^ S n.
Proof.
  intros H ->; unfold power, is_whole, floor. replace (- INR (S n)) with (IZR (Z.neg (Pos.of_succ_nat n)))
    by (rewrite INR_IZR_INZ, <- opp_IZR; f_equal; lia).
  assert (Int_part (IZR (Z.neg (Pos.of_succ_nat n))) = Z.neg (Pos.of_succ_nat n)) as E by (apply floor_is; lra).
  assert (powerRZ x (Z.neg (Pos.of_succ_nat n)) = / x ^ S n) as F by (simpl; now rewrite SuccNat2Pos.id_succ).
  destruct Rlt_dec; [now rewrite <- powerRZ_Rpower | rewrite E; destruct Req_EM_T; lra].
Qed.
Lemma power_0 y : 0 < y -> power 0 y = 0.
Proof.
  intros; unfold power, is_whole, floor; destruct Rlt_dec; [lra |]; destruct Req_EM_T as [E |]; [| lra].
  assert (0 < Int_part y)%Z by (apply lt_IZR; lra).
  replace (Int_part y) with (Z.of_nat (S (Z.to_nat (Int_part y - 1)))) by lia. rewrite <- pow_powerRZ; simpl; ring.
Qed.
Lemma cbrt_cubed x : cbrt x * cbrt x * cbrt x = x.
Proof.
  assert (forall t, 0 < t -> Rpower t (1 / 3) * Rpower t (1 / 3) * Rpower t (1 / 3) = t) as C.
  { intros; rewrite <- !Rpower_plus. replace (1 / 3 + 1 / 3 + 1 / 3) with 1 by field. now apply Rpower_1. }
  unfold cbrt; destruct Rlt_dec; [now apply C |]; destruct Rlt_dec; [| replace x with 0 by lra; ring].
  generalize (C (- x)); lra.
Qed.
Lemma cosh_arccosh x : 1 <= x -> 0 <= arccosh x /\\ cosh (arccosh x) = x.
Proof.
  intros; unfold arccosh, cosh. assert (0 <= x * x - 1) as P by nra.
  pose proof (sqrt_pos (x * x - 1)); pose proof (sqrt_def _ P) as S; set (s := sqrt (x * x - 1)) in *.
  split; [rewrite <- ln_1; destruct (Req_dec (x + s) 1) as [-> | ]; [lra | left; apply ln_increasing; lra] |].
  rewrite exp_Ropp, exp_ln by lra. replace (/ (x + s)) with (x - s); [field |].
  apply Rmult_eq_reg_l with (x + s); [| lra]. rewrite Rinv_r by lra. nra.
Qed.
Lemma tanh_arctanh x : -1 < x < 1 -> tanh (arctanh x) = x.
Proof.
  intros [? ?]; unfold arctanh, tanh, sinh, cosh. assert (0 < (1 + x) / (1 - x)) as P by (apply Rdiv_lt_0_compat; lra).
  set (e := exp (ln ((1 + x) / (1 - x)) / 2)). assert (0 < e) by apply exp_pos.
  assert (e * e = (1 + x) / (1 - x)) as E.
  { unfold e; rewrite <- exp_plus.
    replace (ln ((1 + x) / (1 - x)) / 2 + ln ((1 + x) / (1 - x)) / 2) with (ln ((1 + x) / (1 - x))) by field.
    now apply exp_ln. }
  rewrite exp_Ropp; fold e.
  replace ((e - / e) / 2 / ((e + / e) / 2)) with ((e * e - 1) / (e * e + 1)) by (field; repeat split; nra).
  rewrite E; field; lra.
Qed.
Lemma polar_angle y x : 0 < x * x + y * y -> let r := sqrt (y * y + x * x) in let angle := arctan2 y x in
  r * cos angle = x /\\ r * sin angle = y /\\ - PI < angle <= PI.
Proof.
  intros P r angle; unfold angle, arctan2; fold r. pose proof PI_RGT_0.
  assert (0 < r) by (apply sqrt_lt_R0; lra). assert (r * r = y * y + x * x) as S by (apply sqrt_def; lra).
  destruct Rlt_dec as [Q | Q].
  - pose proof (atan_bound (y / (r + x))). set (q := sqrt (1 + (y / (r + x))²)).
    assert (0 < q) by (apply sqrt_lt_R0; pose proof (Rle_0_sqr (y / (r + x))); lra).
    assert (q * q = 2 * r / (r + x)) as T.
    { unfold q; rewrite sqrt_def by (pose proof (Rle_0_sqr (y / (r + x))); lra). unfold Rsqr; field_simplify_eq; [nra | lra]. }
    assert (1 / q * (1 / q) = (r + x) / (2 * r)) as U
      by (replace (1 / q * (1 / q)) with (1 / (q * q)) by (field; lra); rewrite T; field; lra).
    split; [| split; [| lra]].
    + rewrite cos_2a_cos, cos_atan; fold q. rewrite Rmult_assoc, U. field; lra.
    + rewrite sin_2a, sin_atan, cos_atan; fold q.
      replace (2 * (y / (r + x) / q) * (1 / q)) with (2 * y / (r + x) * (1 / q * (1 / q))) by (field; lra).
      rewrite U; field; lra.
  - assert (y = 0) by nra. assert (x < 0) by nra. destruct Rlt_dec; [| lra]. rewrite cos_PI, sin_PI. repeat split; try lra; nra.
Qed.
"""

FACTS: Final = """\
Lemma lt_true a b : a < b -> iverson (Rlt_dec a b) = 1.
Proof. intros; unfold iverson; destruct Rlt_dec; lra. Qed.
Lemma lt_false a b : b <= a -> iverson (Rlt_dec a b) = 0.
Proof. intros; unfold iverson; destruct Rlt_dec; lra. Qed.
Lemma le_true a b : a <= b -> iverson (Rle_dec a b) = 1.
Proof. intros; unfold iverson; destruct Rle_dec; lra. Qed.
Lemma le_false a b : b < a -> iverson (Rle_dec a b) = 0.
Proof. intros; unfold iverson; destruct Rle_dec; lra. Qed.
Lemma choose_pos c a b : 0 < c -> choose c a b = a.
Proof. intros; unfold choose; destruct Req_EM_T; lra. Qed.
Lemma choose_neg c a b : c < 0 -> choose c a b = a.
Proof. intros; unfold choose; destruct Req_EM_T; lra. Qed.
Lemma choose_0 a b : choose 0 a b = b.
Proof. unfold choose; destruct Req_EM_T; lra. Qed.
#[global] Hint Rewrite choose_0 : textbook.
Lemma ln_pos a : 1 < a -> 0 < ln a.
Proof. intros; rewrite <- ln_1; apply ln_increasing; lra. Qed.

(* auto_derive does not know the derivatives of arcsin and arccos, which Coq's library has. *)
#[global] Instance asin_derivative : UnaryDiff' asin.
Proof.
  exists (fun x => 1 / sqrt (1 - x²)) (fun x => -1 < x < 1). intros x H. apply is_derive_Reals.
  rewrite <- (derive_pt_asin x H). apply derive_pt_eq_1 with (derivable_pt_asin x H). reflexivity.
Defined.
#[global] Instance acos_derivative : UnaryDiff' acos.
Proof.
  exists (fun x => -1 / sqrt (1 - x²)) (fun x => -1 < x < 1). intros x H. apply is_derive_Reals.
  rewrite <- (derive_pt_acos x H). apply derive_pt_eq_1 with (derivable_pt_acos x H). reflexivity.
Defined.

(* A strict inequality between functions that have a derivative holds in a neighbourhood. *)
Lemma locally_lt (a b : R -> R) x : ex_derive a x -> ex_derive b x -> a x < b x -> locally x (fun t => a t < b t).
Proof.
  intros Ha Hb H. assert (0 < b x - a x) as P by lra.
  assert (continuous (fun t => b t - a t) x) as C
    by (apply (continuous_minus b a); now apply (ex_derive_continuous (V := R_NormedModule))).
  generalize (C _ (locally_open _ _ (open_gt 0) (fun _ H => H) _ P)); unfold filtermap. apply filter_imp; intros; lra.
Qed.

(* The chain rule, in the order of the numbers on an edge. *)
Lemma along (f g : R -> R) (x dg df : R) :
  is_derive g x dg -> is_derive f (g x) df -> is_derive (fun t => f (g t)) x (dg * df).
Proof. intros G F. exact (is_derive_comp f g x df dg F G). Qed.
"""

TACTICS: Final = """\
(* What is known of the parts of the goal: exponentials are positive, and so are roots, whose squares are known. *)
Ltac know fact := lazymatch type of fact with ?P => lazymatch goal with _ : P |- _ => fail | _ => pose proof fact end end.
Ltac positive := repeat match goal with
  | |- context [exp ?a] => know (exp_pos a)
  | |- context [ln 2] => know (ln_pos 2 ltac:(lra))
  | |- context [ln 10] => know (ln_pos 10 ltac:(lra))
  | |- context [sqrt ?a] => know (sqrt_lt_R0 a ltac:(first [assumption | lra | nra]))
  | |- context [sqrt ?a] => know (sqrt_def a ltac:(first [lra | nra]))
  end.
Ltac order := solve [lra | nra | positive; first [lra | nra]].
Ltac nonzero := first [apply Rgt_not_eq; order | apply Rlt_not_eq; order | order | apply Rdiv_lt_0_compat; order].
Ltac conditions := repeat split; try exact I; try nonzero; auto.

(* Remove from the equation E every case that the hypotheses decide, the innermost first. *)
Ltac decided a := lazymatch a with
  | context [choose] => fail | context [iverson] => fail | context [Rabs] => fail | context [floor] => fail | _ => idtac end.
Ltac settle E := autorewrite with textbook in E; autounfold with functions in E; repeat match type of E with
  | context [iverson (Rlt_dec ?a ?b)] => decided a; decided b;
      first [rewrite (lt_true a b) in E by lra | rewrite (lt_false a b) in E by lra
        | rewrite (lt_true a b) in E by order | rewrite (lt_false a b) in E by order]
  | context [iverson (Rle_dec ?a ?b)] => decided a; decided b;
      first [rewrite (le_true a b) in E by lra | rewrite (le_false a b) in E by lra
        | rewrite (le_true a b) in E by order | rewrite (le_false a b) in E by order]
  | context [choose 0 ?a ?b] => rewrite (choose_0 a b) in E
  | context [choose ?c ?a ?b] => decided c;
      first [rewrite (choose_pos c a b) in E by lra | rewrite (choose_neg c a b) in E by lra]
  | context [Rabs ?a] => decided a;
      first [rewrite (Rabs_pos_eq a) in E by lra | rewrite (Rabs_left1 a) in E by lra
        | rewrite (Rabs_pos_eq a) in E by order | rewrite (Rabs_left1 a) in E by order]
  | context [floor ?a] => match goal with _ : IZR ?n < _ |- _ => rewrite (floor_on n a) in E by order end
  | context [power ?a ?b] => decided a; rewrite (power_pos a b) in E by lra; unfold Rpower in E
  | context [if Rlt_dec ?a ?b then ?u else ?v] =>
      first [rewrite (if_lt a b u v) in E by order | rewrite (if_not_lt a b u v) in E by order]
  end.
(* Give the settled form of a term e, as an equation E with a name v for e, to a tactic. *)
Ltac settled e use := let v := fresh "v" in let E := fresh "E" in
  pose (v := e); assert (v = e) as E by reflexivity; settle E; use v E.
Ltac left_side := match goal with |- ?e = _ => settled e ltac:(fun v E => change e with v; rewrite E; clear E v) end.
Ltac value := match goal with |- is_derive _ _ ?l => settled l ltac:(fun v E => change l with v; rewrite E; clear E v) end.

(* Show that something holds near x, by showing it wherever the strict inequalities about x hold. *)
Ltac near x :=
  pose proof (filter_true : locally x (fun _ => True));
  repeat match goal with H : ?A < ?B |- _ => let p := eval pattern x in (A < B) in match p with ?P _ =>
    lazymatch goal with _ : locally x P |- _ => fail | _ => idtac end;
    let a := eval pattern x in A in let b := eval pattern x in B in match a with ?f _ => match b with ?g _ =>
      assert (locally x P) by (apply (locally_lt f g); [auto_derive; conditions | auto_derive; conditions | exact H]) end end
  end end;
  repeat match goal with L : locally x ?P, M : locally x ?Q |- _ => pose proof (filter_and _ _ L M); clear L M end;
  match goal with L : locally x ?P |- _ => apply filter_imp with (2 := L); clear L; intros ? ?; cbv beta in *;
    repeat match goal with H : _ /\\ _ |- _ => destruct H end end.
(* Replace a function by its formula on the piece around x. *)
Ltac piece x := value;
  eapply is_derive_ext_loc; [near x; match goal with |- _ = ?e => symmetry; settled e ltac:(fun v E => exact E) end | cbv beta].

Ltac roots := repeat match goal with |- context [sqrt ?a] => match goal with |- context [sqrt ?b] =>
  tryif constr_eq a b then fail else replace (sqrt b) with (sqrt a) by (f_equal; ring) end end.
Ltac exponentials := positive; unfold Rminus; rewrite ?exp_plus, ?exp_Ropp; rewrite ?exp_ln by lra.
Ltac algebra := unfold Rsqr in *; first [ring | roots; field; conditions | exponentials; field; conditions].

Ltac open := intros; autounfold with functions rules in *; unfold Rgt in *;
  repeat match goal with
    | H : _ >= _ |- _ => apply Rge_le in H
    | H : Rabs _ < _ |- _ => apply Rabs_def2 in H; destruct H
  end;
  unfold tanh, cosh, sinh, tan, arcsinh, arccosh, arctanh, arctan2, cbrt, Rpower in *.
Ltac smooth x := open; piece x; auto_derive; [conditions | algebra].

(* A positive or a negative whole number as a natural one, and the derivative of its power. *)
Ltac natural n m := assert (1 <= n)%Z by (apply le_IZR; lra); destruct (Z_of_nat_complete (n - 1)) as [m ?]; [lia |];
  replace (IZR n) with (INR (S m)) in * by (rewrite INR_IZR_INZ; f_equal; lia).
Ltac below n m := assert (n < 0)%Z by (apply lt_IZR; lra); destruct (Z_of_nat_complete (- n - 1)) as [m ?]; [lia |];
  replace (IZR n) with (- INR (S m)) in * by (rewrite INR_IZR_INZ, <- opp_IZR; f_equal; lia).
(* The gradient, a product from the result to the leaf, is D's derivative, a product from the leaf to the result. *)
Ltac by_steps D := match type of D with is_derive _ _ ?m => match goal with |- is_derive _ _ ?l /\\ _ =>
  split; [replace l with m; [exact D |] |] end end; autounfold with functions rules;
  repeat match goal with v := _ |- _ => subst v end; field.
Ltac successor m := change (match m with O => 1 | S _ => INR m + 1 end) with (INR (S m)).
"""

# The proofs for which ``smooth`` is not enough, by the name of the theorem or of the row.
_OFF_THE_CUT: Final = """\
open; assert (0 < x * x + y * y)
  by (destruct (Req_dec y 0), (Req_dec x 0); subst; rewrite ?Rmult_0_l, ?Rplus_0_l, ?sqrt_0 in *; first [lra | nra]);
  piece {0}; auto_derive; [conditions |]; roots; positive; field_simplify_eq; [cbn [Rpow_def.pow]; nsatz | conditions]."""
_WHOLE: Final = """\
open; apply (is_derive_ext (fun x => x ^ {0})); [intros; symmetry; apply power_nat; simpl; lra |];
  rewrite ?(power_nat 2) by (simpl; lra); auto_derive; [exact I | ring]."""
PROOFS: Final = {
    "arccosh": """\
open; piece x; auto_derive; [conditions |];
  replace (x * x + - (1)) with ((x - 1) * (x + 1)) by ring; rewrite sqrt_mult by lra; algebra.""",
    "arctan2_x": _OFF_THE_CUT.format("x"),
    "arctan2_y": _OFF_THE_CUT.format("y"),
    "erf": """\
open; unfold erf;
  match goal with |- is_derive _ _ ?l => replace l with (2 / sqrt PI * exp (- x * x)) by algebra end;
  apply is_derive_scal; apply (is_derive_RInt (fun t => exp (- t * t)) (RInt (fun t => exp (- t * t)) 0) 0);
  [apply filter_forall; intro; apply (RInt_correct (V := R_CompleteNormedModule));
    apply (ex_RInt_continuous (V := R_CompleteNormedModule)); intros |];
  apply (ex_derive_continuous (V := R_NormedModule)); auto_derive; exact I.""",
    "power_x_1": """\
intros; destruct (Rle_or_lt 1 y); [| destruct (Rlt_or_le y 0)]; open; piece x; auto_derive; try lra;
  replace ((y - 1) * ln x) with (y * ln x + - ln x) by ring; algebra.""",
    "power_x_2": """\
intros; natural n m; apply (is_derive_ext (fun x => x ^ S m)); [intros; symmetry; now apply power_nat |];
  pose proof (power_nat m x (INR (S m) - 1) ltac:(rewrite S_INR; ring)) as P; open;
  destruct (Rtotal_order x 0) as [| [|]]; value; try (rewrite power_pos in P by lra; unfold Rpower in P);
  rewrite P; auto_derive; try exact I; successor m; ring.""",
    "power_x_3": """\
intros; apply (is_derive_ext (fun _ => 1)); [intros; symmetry; now apply (power_nat 0) |];
  open; destruct (Rtotal_order x 0) as [| [|]]; value; auto_derive; auto; ring.""",
    "power_x_4": """\
open; below n m; value;
  eapply is_derive_ext_loc; [near x; symmetry; apply (power_inverse m); [conditions | reflexivity] |];
  rewrite (power_inverse (S m)) by first [lra | rewrite (S_INR (S m)); ring];
  pose proof (pow_nonzero x m ltac:(lra)); auto_derive;
  [apply Rmult_integral_contrapositive; auto with real |
    successor m; cbn [Rpow_def.pow]; field; auto with real].""",
    "power_y_2": """\
open; eapply is_derive_ext_loc; [near y; symmetry; now apply power_0 |];
  value; rewrite ?power_0, ?ln_1 by lra; auto_derive; [exact I | ring].""",
    "power_2": _WHOLE.format(2),
    "power_3": _WHOLE.format(3),
    "power_minus_1": """\
open; eapply is_derive_ext_loc; [near x; symmetry; apply (power_inverse 0); [conditions | simpl; ring] |];
  rewrite ?(power_inverse 1) by (simpl; lra); auto_derive; [conditions | field; lra].""",
    "power_half": """\
open; piece x; auto_derive; [conditions |];
  replace (-1 / 2 * ln x) with (1 / 2 * ln x + - ln x) by field; algebra.""",
    "sigmoid_textbook": "destruct (Rlt_or_le x 0); open; left_side; algebra.",
    "softplus_textbook": """\
destruct (Rlt_or_le 0 x); open; left_side; [| rewrite Ropp_involutive; ring];
  replace (1 + exp x) with (exp x * (1 + exp (- x))) by (rewrite exp_Ropp; algebra);
  positive; rewrite ln_mult, ln_exp by lra; ring.""",
}
